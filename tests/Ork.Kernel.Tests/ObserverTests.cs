using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Ork.Protocol;

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

    [Fact]
    public void Everything_that_is_observed_is_a_log_line_a_measurement_and_a_span()
    {
        var log = new Lines();
        using var observer = new KernelObserver(log, TimeProvider.System);
        using var sink = new MeterTelemetrySink();
        var measured = new HashSet<string>(StringComparer.Ordinal);
        using var meters = new MeterListener { InstrumentPublished = (instrument, it) => { if (instrument.Meter.Name == KernelObserver.Source) it.EnableMeasurementEvents(instrument); } };
        meters.SetMeasurementEventCallback<long>((instrument, _, _, _) => { lock (measured) measured.Add(instrument.Name); });
        meters.SetMeasurementEventCallback<double>((instrument, _, _, _) => { lock (measured) measured.Add(instrument.Name); });
        meters.Start();
        var spans = new List<Activity>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == KernelObserver.Source,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span => { lock (spans) spans.Add(span); },
        };
        ActivitySource.AddActivityListener(activities);

        foreach (var what in Enum.GetValues<KernelEvent>()) observer.Note(what, "w-observed", what == KernelEvent.Started ? "detail" : null);
        observer.Transition(HealthMachine.Build(observer, true), "w-observed", HealthState.Healthy, HealthTrigger.PingFailed, HealthState.Sick);
        observer.Committed(3, TimeSpan.FromMilliseconds(2));
        observer.Exchanged(OrkAction.HealthPing, "w-observed", 5, ErrorCodes.WorkerTimeout);
        observer.Settled(new CommandRow
        {
            WorkerId = "w-observed", State = CommandState.Failed, Error = "ERR_DEADLINE", Attempt = 2, UpdatedAt = 2_000,
            Spec = new CommandSpec { CommandId = "c-observed", Command = "reboot", Scope = CommandScope.Device, Caller = "uid:0", CreatedAt = 1_000 },
        });
        sink.Accept("w-observed", 1, "{}"u8);

        Assert.Contains("Started w-observed: detail", log.Text);
        Assert.Contains("health w-observed: Healthy --PingFailed--> Sick", log.Text);
        Assert.Equal(Enum.GetValues<KernelEvent>().Length + 1, log.Text.Count);
        Assert.Superset(
            new HashSet<string> { "ork.transitions", "ork.events", "ork.commands.settled", "ork.store.records", "ork.store.commit", "ork.commands.duration", "ork.exchange.duration", "ork.exchange.errors", "ork.telemetry.answers", "ork.telemetry.bytes" },
            measured);
        lock (spans)
        {
            var span = Assert.Single(spans, span => (string?)span.GetTagItem("ork.command.id") == "c-observed");
            Assert.Equal((ActivityStatusCode.Error, 1.0), (span.Status, span.Duration.TotalSeconds));
            Assert.Contains(spans, span => span.DisplayName == "commit");
            Assert.Contains(spans, span => span.DisplayName == nameof(OrkAction.HealthPing) && (string?)span.GetTagItem("ork.error") == ErrorCodes.WorkerTimeout.Code);
        }
    }
}
