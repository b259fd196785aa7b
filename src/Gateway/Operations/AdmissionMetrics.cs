using Gateway.Capture;
using Gateway.Core.Admission;
using Gateway.Core.Tokens;

namespace Gateway.Operations;

/// <summary>What <c>/metrics</c> says of who had to wait, and of who had used up a quota.</summary>
internal static class AdmissionMetrics
{
    public static string Write(AdmissionGate gate, CaptureCounters capture) => new MetricsText()
        .Gauge("gateway_admission_slots", "Capture requests that may be worked on at once.", gate.Slots)
        .Gauge("gateway_admission_slots_busy", "Capture requests that are worked on.", gate.Busy)
        .Gauge("gateway_admission_waiting", "Capture requests that wait for a slot.", gate.Waiting)
        .Gauge("gateway_admission_unwritten_bytes", "Bytes that wait for the journal; no slot is given beyond "
            + $"{AdmissionOptions.MaxUnwritten}.", gate.UnwrittenBytes)
        .Counter("gateway_admission_refused_total", "Capture requests that found too many waiting.", gate.Refused)
        .Counter("gateway_admission_gone_total", "Capture requests whose client went while they waited.",
            gate.Cancelled)
        .Histogram("gateway_admission_wait_seconds", "Time that requests waited for a slot, of those that had to.",
            gate.Times.Buckets().Select(bucket => (bucket.Microseconds / 1e6, bucket.Count)),
            gate.Times.Total.TotalSeconds)
        .Counters("gateway_quota_refusals_total", "Capture requests past their project's quota, by limit.", "limit",
            [
                ("events_per_second", capture.QuotaRefusals(QuotaKind.Events)),
                ("bytes_per_second", capture.QuotaRefusals(QuotaKind.Bytes)),
            ])
        .ToString();
}
