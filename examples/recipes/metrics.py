"""What streams do, for Prometheus: read when it asks, so that the streams pay nothing."""

import weakref

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class StreamCollector(Collector):
    """The streams that were added and are still there."""

    def __init__(self):
        self.streams = weakref.WeakKeyDictionary()

    def add(self, name, stream):
        self.streams[stream] = name
        return stream

    def collect(self):
        given = CounterMetricFamily('stream_items', 'items given', labels=['stream'])
        held = GaugeMetricFamily('stream_held', 'items held', labels=['stream'])
        waits = GaugeMetricFamily('stream_waits_for_source', '1 while it waits', labels=['stream'])
        for stream, name in list(self.streams.items()):
            given.add_metric([name], stream.items)
            held.add_metric([name], stream.held)
            waits.add_metric([name], stream.waits_for == 'source')
        return [given, held, waits]
