"""Requests are counted and timed by django-prometheus; of its metrics, those that somebody reads.

Each costs every request a little and every scrape a lot, so that what says nothing more than another
is left out. Labels have few values: the name of a view and never a path, and no method but HTTP's.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_prometheus.middleware import (
    Metrics,
    PrometheusAfterMiddleware,
    PrometheusBeforeMiddleware,
)
from prometheus_client import Histogram

KEPT = frozenset(
    {
        "django_http_requests_latency_including_middlewares_seconds",
        "django_http_requests_latency_seconds_by_view_method",
        "django_http_responses_total_by_status_view_method",
        "django_http_exceptions_total_by_view",
    }
)
#: Seconds; what the pages promise lies among them.
BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class _Uncounted:
    """In the place of a metric that is left out."""

    def labels(self, **_labels: str) -> _Uncounted:
        return self

    def inc(self) -> None:
        """Count nothing."""

    def observe(self, _amount: float) -> None:
        """Time nothing."""


class OurMetrics(Metrics):  # type: ignore[misc]  # django-prometheus is untyped
    def register_metric(self, metric_cls: type[Any], name: str, *words: Any, **options: Any) -> Any:
        if name not in KEPT:
            return _Uncounted()
        if metric_cls is Histogram:
            options["buckets"] = BUCKETS
        return super().register_metric(metric_cls, name, *words, **options)


class BeforeMiddleware(PrometheusBeforeMiddleware):  # type: ignore[misc]
    """Times a request with all its middlewares; stands before them."""

    metrics_cls = OurMetrics


class AfterMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]
    """Times the view alone; stands last."""

    metrics_cls = OurMetrics

    def label_metric(
        self,
        metric: Any,
        request: HttpRequest,
        response: HttpResponseBase | None = None,
        **labels: str,
    ) -> Any:
        if "method" in labels:
            # The library takes one of the metrics' methods from the request as it came.
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
