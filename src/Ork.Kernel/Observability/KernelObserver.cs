using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// The kernel's observer in production: structured logs (one event id a kind), meters and spans under the name <see cref="Source"/>.
/// </summary>
public sealed class KernelObserver : IKernelObserver, IDisposable
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Source = "Ork.Kernel";

    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Meter _meter;
    private readonly ActivitySource _activities = new(Source);
    private readonly Counter<long> _transitions;
    private readonly Counter<long> _events;
    private readonly Counter<long> _settled;
    private readonly Counter<long> _records;
    private readonly Histogram<double> _commitMs;
    private readonly Histogram<double> _commandMs;
    private readonly Histogram<long> _exchangeMs;
    private readonly Counter<long> _exchangeErrors;
    private readonly ConcurrentDictionary<string, int> _circuits = new(StringComparer.Ordinal);

    /// <summary>Makes an observer.</summary>
    /// <param name="log">Where log lines go.</param>
    /// <param name="time">When spans end.</param>
    public KernelObserver(ILogger log, TimeProvider time)
    {
        _log = log;
        _time = time;
        _meter = new Meter(Source);
        _transitions = _meter.CreateCounter<long>("ork.transitions", description: "Transitions of the kernel's machines.");
        _events = _meter.CreateCounter<long>("ork.events", description: "Events by kind.");
        _settled = _meter.CreateCounter<long>("ork.commands.settled", description: "Commands that reached their end.");
        _records = _meter.CreateCounter<long>("ork.store.records", description: "Records made durable.");
        _commitMs = _meter.CreateHistogram<double>("ork.store.commit", "ms", "Duration of a commit.");
        _commandMs = _meter.CreateHistogram<double>("ork.commands.duration", "ms", "From acceptance to the end of a command.");
        _exchangeMs = _meter.CreateHistogram<long>("ork.exchange.duration", "ms", "Duration of an exchange with a Worker.");
        _exchangeErrors = _meter.CreateCounter<long>("ork.exchange.errors", description: "Exchanges without a usable answer.");
        _meter.CreateObservableGauge("ork.circuits", Circuits, description: "Circuits that are not closed, by Worker: 1 half-open, 2 open.");
    }

    /// <inheritdoc/>
    public void Transition<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine, string entity, TState from, TTrigger trigger, TState to)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
        ArgumentNullException.ThrowIfNull(machine);
        if (_transitions.Enabled)
        {
            _transitions.Add(1, new("machine", machine.Name), new("from", from.ToString()), new("trigger", trigger.ToString()), new("to", to.ToString()));
        }

        if (_log.IsEnabled(LogLevel.Trace))
        {
            _log.LogTrace(TransitionEvent, "{Machine} {Entity}: {From} --{Trigger}--> {To}", machine.Name, entity, from, trigger, to);
        }
    }

    /// <inheritdoc/>
    public void Note(KernelEvent what, string subject, string? detail = null)
    {
        FollowCircuits(what, subject);
        if (_events.Enabled) _events.Add(1, new KeyValuePair<string, object?>("kind", what.ToString()));
        var level = LevelOf(what);
        if (!_log.IsEnabled(level)) return;
        var id = new EventId((int)what, what.ToString());
        if (detail is null) _log.Log(level, id, "{Event} {Subject}", what, subject);
        else _log.Log(level, id, "{Event} {Subject}: {Detail}", what, subject, detail);
    }

    /// <inheritdoc/>
    public void Settled(in CommandRow command)
    {
        var durationMs = command.UpdatedAt - command.Spec.CreatedAt;
        _settled.Add(1, new KeyValuePair<string, object?>("state", command.State.ToString()));
        _commandMs.Record(durationMs);
        if (!_activities.HasListeners()) return;
        using var span = _activities.StartActivity(
            "command", ActivityKind.Internal, default(ActivityContext), startTime: DateTimeOffset.FromUnixTimeMilliseconds(command.Spec.CreatedAt));
        span?.SetTag("ork.command.id", command.Spec.CommandId).SetTag("ork.command.name", command.Spec.Command)
            .SetTag("ork.worker", command.WorkerId).SetTag("ork.attempt", command.Attempt).SetTag("ork.error", command.Error);
        span?.SetStatus(command.State == CommandState.Success ? ActivityStatusCode.Ok : ActivityStatusCode.Error, command.Error);
        span?.SetEndTime(DateTimeOffset.FromUnixTimeMilliseconds(command.UpdatedAt).UtcDateTime);
    }

    /// <inheritdoc/>
    public void Committed(int records, TimeSpan elapsed)
    {
        _records.Add(records);
        _commitMs.Record(elapsed.TotalMilliseconds);
        Span("commit", elapsed)?.SetTag("ork.records", records).Stop();
    }

    /// <inheritdoc/>
    public void Exchanged(OrkAction action, string workerId, long elapsedMs, ErrorCode? error)
    {
        if (_exchangeMs.Enabled) _exchangeMs.Record(elapsedMs, new KeyValuePair<string, object?>("action", action.ToString()));
        if (error is not null) _exchangeErrors.Add(1, new("action", action.ToString()), new KeyValuePair<string, object?>("error", error.Code));
        if (!_activities.HasListeners()) return;
        Span(action.ToString(), TimeSpan.FromMilliseconds(elapsedMs))?.SetTag("ork.worker", workerId).SetTag("ork.error", error?.Code).Stop();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        _activities.Dispose();
    }

    // Outside the range of KernelEvent: a transition is told by its machine, not by a kind.
    private static readonly EventId TransitionEvent = new(1000, "Transition");

    private Activity? Span(string name, TimeSpan elapsed) => _activities.HasListeners()
        ? _activities.StartActivity(name, ActivityKind.Internal, default(ActivityContext), startTime: _time.GetUtcNow() - elapsed)
        : null;

    private void FollowCircuits(KernelEvent what, string subject)
    {
        switch (what)
        {
            case KernelEvent.CircuitOpened:
                _circuits[subject] = 2;
                break;
            case KernelEvent.CircuitHalfOpen:
                _circuits[subject] = 1;
                break;
            case KernelEvent.CircuitClosed or KernelEvent.WorkerTerminated:
                _circuits.TryRemove(subject, out _);
                break;
            case KernelEvent.CommitFailed or KernelEvent.TurnFailed:
                // The instance is thrown away, its circuits with it; the next one tells of its own.
                _circuits.Clear();
                break;
        }
    }

    private IEnumerable<Measurement<int>> Circuits() =>
        _circuits.OrderBy(circuit => circuit.Key, StringComparer.Ordinal).Select(circuit => new Measurement<int>(circuit.Value, new KeyValuePair<string, object?>("worker", circuit.Key)));

    private static LogLevel LevelOf(KernelEvent what) => what switch
    {
        KernelEvent.CommitFailed or KernelEvent.TurnFailed or KernelEvent.ShellFailed or KernelEvent.IllegalTransition => LogLevel.Error,
        KernelEvent.PullOnlyViolation or KernelEvent.WorkerRefused or KernelEvent.DeviceConflict or KernelEvent.StoreRetry
            or KernelEvent.WorkerDead or KernelEvent.Fenced or KernelEvent.AnswerInvalid or KernelEvent.HandshakeFailed
            or KernelEvent.SinkFailed or KernelEvent.DiscoveryFailed or KernelEvent.TargetUnreachable or KernelEvent.CallerGaveWay
            or KernelEvent.RegistrationStuck or KernelEvent.LinkContested or KernelEvent.JournalReplaced or KernelEvent.CircuitOpened or KernelEvent.WorkerBusy => LogLevel.Warning,
        KernelEvent.Started or KernelEvent.Recovered or KernelEvent.Draining or KernelEvent.Stopped or KernelEvent.Listening
            or KernelEvent.DeviceMoved or KernelEvent.WorkerTerminated or KernelEvent.CircuitClosed => LogLevel.Information,
        _ => LogLevel.Debug,
    };
}

/// <summary>An observer that hears nothing.</summary>
public sealed class SilentObserver : IKernelObserver
{
    /// <inheritdoc/>
    public void Transition<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine, string entity, TState from, TTrigger trigger, TState to)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
    }

    /// <inheritdoc/>
    public void Note(KernelEvent what, string subject, string? detail = null)
    {
    }

    /// <inheritdoc/>
    public void Settled(in CommandRow command)
    {
    }

    /// <inheritdoc/>
    public void Committed(int records, TimeSpan elapsed)
    {
    }

    /// <inheritdoc/>
    public void Exchanged(OrkAction action, string workerId, long elapsedMs, ErrorCode? error)
    {
    }
}
