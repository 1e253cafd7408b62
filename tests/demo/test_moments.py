"""The demo is the same desk whenever it is loaded, also while nobody is in the office."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.demo import test_demo

pytestmark = pytest.mark.django_db

AWKWARD = {
    "sunday night": datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
    "monday as the office opens": datetime(2026, 11, 23, 7, 4, 30, tzinfo=UTC),
    "the night the clocks go back": datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    "between the years": datetime(2026, 12, 27, 21, 59, 59, 999_999, tzinfo=UTC),
}


@pytest.mark.parametrize("moment", AWKWARD.values(), ids=AWKWARD.keys())
def test_it_can_be_loaded_at_any_moment(moment: datetime, tmp_path: Path) -> None:
    test_demo.load(moment, tmp_path, past=60)
    for holds in (
        test_demo.test_hd_1042_is_a_p1_that_nobody_has_answered,
        test_demo.test_hd_1042_says_in_advance_when_and_why_it_goes_to_integrations,
        test_demo.test_hd_1041_is_new,
        test_demo.test_hd_1040_waits_for_the_key_id_that_was_asked_for,
        test_demo.test_hd_1039_is_complete_and_not_escalated,
        test_demo.test_hd_1038_is_offered_to_platform_and_was_reminded_once,
        test_demo.test_hd_1037_is_accepted_with_its_promise_due_in_half_an_hour,
        test_demo.test_hd_1036_bounced_so_that_its_customer_was_not_told,
        test_demo.test_hd_1035_was_declined_since_the_key_id_is_missing,
        test_demo.test_hd_1034_was_accepted_and_sent_back,
        test_demo.test_hd_1033_is_on_hold_with_a_follow_up_to_come,
        test_demo.test_hd_1032_has_a_promise_that_broke_40_minutes_ago,
        test_demo.test_hd_1031_is_with_tier_2_and_with_helen_side_by_side,
        test_demo.test_hd_1030_was_handed_on_twice,
        test_demo.test_hd_1024_was_promised_anew_once,
        test_demo.test_hd_1023_is_resolved_and_its_reader_is_written_to_in_german,
        test_demo.test_hd_1022_was_reopened_by_its_customer,
        test_demo.test_hd_1021_stays_resolved_after_thanks,
        test_demo.test_hd_1020_is_closed_and_reviewed_as_avoidable,
        test_demo.test_hd_1019_is_snoozed,
        test_demo.test_there_is_one_of_each_letter_with_plausible_times,
        test_demo.test_the_higher_a_number_the_later_it_was_opened,
        test_demo.test_nothing_lies_in_the_future_and_nothing_is_overdue,
        test_demo.test_only_what_is_meant_to_be_late_is_late,
        test_demo.test_hd_1042_is_escalated_by_rule_after_45_seconds,
    ):
        holds(moment)
