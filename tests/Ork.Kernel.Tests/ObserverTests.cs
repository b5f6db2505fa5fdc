using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ork.Kernel.Tests;

/// <summary>What metrics say of circuits.</summary>
public sealed class ObserverTests
{
    [Fact]
    public void Circuits_that_are_not_closed_are_a_gauge_by_Worker()
    {
        using var observer = new KernelObserver(NullLogger.Instance, TimeProvider.System);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Meter.Name == KernelObserver.Source && instrument.Name == "ork.circuits") it.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => seen[(string)tags[0].Value!] = value);
        listener.Start();
        observer.Note(KernelEvent.CircuitOpened, "gauge-w1");
        observer.Note(KernelEvent.CircuitOpened, "gauge-w2");
        observer.Note(KernelEvent.CircuitHalfOpen, "gauge-w2");
        observer.Note(KernelEvent.CircuitOpened, "gauge-w3");
        observer.Note(KernelEvent.CircuitClosed, "gauge-w3");
        listener.RecordObservableInstruments();
        Assert.Equal([("gauge-w1", 2), ("gauge-w2", 1)], seen.Where(row => row.Key.StartsWith("gauge-", StringComparison.Ordinal)).Select(row => (row.Key, row.Value)).OrderBy(row => row.Key, StringComparer.Ordinal));
    }
}
