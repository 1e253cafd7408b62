"""The form that adds a video to a lesson."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from desk.formfields import ChoiceField
from training.agreement import main_language
from training.models import ProcedureVersion


class VideoForm(forms.Form):
    language = ChoiceField(label=gettext_lazy("Language"))
    video = forms.FileField(
        label=gettext_lazy("Video (MP4 or WebM)"),
        widget=forms.FileInput(attrs={"class": "form-control", "accept": "video/mp4,video/webm"}),
    )
    captions = forms.FileField(
        label=gettext_lazy("Captions (WebVTT)"),
        help_text=gettext_lazy("What is said, with its times: for whoever cannot hear it."),
        widget=forms.FileInput(attrs={"class": "form-control", "accept": ".vtt,text/vtt"}),
    )

    def __init__(
        self, data: object = None, files: object = None, *, version: ProcedureVersion
    ) -> None:
        super().__init__(data, files)  # type: ignore[arg-type]
        language, video = self.fields["language"], self.fields["video"]
        assert isinstance(language, ChoiceField)
        language.choices = [(each, each) for each in version.texts]
        language.initial = main_language(version.texts)
        most = filesizeformat(settings.HELPDESK_LESSON_VIDEO_SIZE)
        video.help_text = _("At most %(size)s.") % {"size": most}
