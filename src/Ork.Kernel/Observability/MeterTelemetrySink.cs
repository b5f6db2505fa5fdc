using System.Diagnostics.Metrics;

namespace Ork.Kernel;

/// <summary>A sink that counts what scheduled telemetry pulls bring, per Worker: the cheapest proof that a fleet reports.</summary>
public sealed class MeterTelemetrySink : ITelemetrySink, IDisposable
{
    private readonly Meter _meter = new(KernelObserver.Source);
    private readonly Counter<long> _answers;
    private readonly Counter<long> _bytes;

    /// <summary>Makes a sink.</summary>
    public MeterTelemetrySink()
    {
        _answers = _meter.CreateCounter<long>("ork.telemetry.answers", description: "Scheduled telemetry pulls answered.");
        _bytes = _meter.CreateCounter<long>("ork.telemetry.bytes", "By", "Bytes of their answers.");
    }

    /// <inheritdoc/>
    public void Accept(string workerId, long utcMs, ReadOnlySpan<byte> payload)
    {
        if (!_answers.Enabled) return;
        var worker = new KeyValuePair<string, object?>("worker", workerId);
        _answers.Add(1, worker);
        _bytes.Add(payload.Length, worker);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
