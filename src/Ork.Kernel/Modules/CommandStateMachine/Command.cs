using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A command the kernel has accepted.</summary>
internal sealed class Command(long seq, CommandSpec spec, WorkerEntry worker)
{
    internal CommandState State;

    internal long Seq { get; } = seq;

    internal CommandSpec Spec { get; private set; } = spec;

    internal WorkerEntry Worker { get; set; } = worker;

    internal int Attempt { get; set; }

    internal int Retries { get; set; }

    internal int Recoveries { get; set; }

    internal int Transitions { get; set; }

    internal bool SentEver { get; set; }

    /// <summary>The first attempt that its Worker may have begun, or 0 where none can have been: those that were sent were each refused unbegun.</summary>
    internal int DoubtfulFrom { get; set; }

    /// <summary>True where its devices may have acted on it.</summary>
    internal bool IsInDoubt => DoubtfulFrom > 0;

    internal bool StopRequested { get; set; }

    /// <summary>True where its latest attempt was nobody's failure: a kernel's stop ended it, or its Worker had no place for it.</summary>
    internal bool Blameless { get; set; }

    /// <summary>How often its Worker had no place for it. Not stored: a kernel that starts asks again at once.</summary>
    internal int TimesBusy { get; set; }

    internal byte[] Result { get; set; } = [];

    internal string? Error { get; set; }

    internal CommandOutcome Outcome { get; set; }

    internal long UpdatedAt { get; set; }

    /// <summary>True once the store has seen it.</summary>
    internal bool Stored { get; set; }

    internal long TouchedInTurn { get; set; }

    /// <summary>Times the attempt while one is under way, and the backoff while it waits to be retried.</summary>
    internal WheelTimer? Timer { get; set; }

    internal WheelTimer? DeadlineTimer { get; set; }

    /// <summary>When it is forgotten, kernel milliseconds. Of settled commands.</summary>
    internal long ForgetMs { get; set; }

    /// <summary>The request of the attempt that is executing.</summary>
    internal Ask? Ask { get; set; }

    /// <summary>Its place among those held back for a congested link, while it stands there.</summary>
    internal LinkedListNode<Command>? HeldBackPlace { get; set; }

    /// <summary>Its places in line at its devices, from acceptance to its end. The Concurrency Manager's.</summary>
    internal DeviceClaim[] Claims { get; set; } = [];

    /// <summary>At how many of its devices it is its turn. The Concurrency Manager's.</summary>
    internal int Turns { get; set; }

    /// <summary>True while it waits to be assigned. The Concurrency Manager's.</summary>
    internal bool Wanted { get; set; }

    /// <summary>Its place among its Worker's commands whose turn it is. The Concurrency Manager's.</summary>
    internal LinkedListNode<Command>? ReadyPlace { get; set; }

    /// <summary>Long polls that wait for its end.</summary>
    internal List<CommandWait>? Waits { get; set; }

    internal bool IsTerminal => State is CommandState.Success or CommandState.Failed;

    internal bool InFlight => State is CommandState.Dispatched or CommandState.Executing;

    /// <summary>Lets go of what a settled command does not need any more.</summary>
    internal void Shrink()
    {
        Spec = Spec with { Params = default, Targets = null };
        Timer = DeadlineTimer = null;
        Waits = null;
    }

    internal CommandRow ToRow() => new()
    {
        Seq = Seq,
        Spec = Spec,
        WorkerId = Worker.WorkerId,
        State = State,
        Attempt = Attempt,
        Retries = Retries,
        Recoveries = Recoveries,
        Transitions = Transitions,
        SentEver = SentEver,
        DoubtfulFrom = DoubtfulFrom,
        StopRequested = StopRequested,
        Result = Result,
        Error = Error,
        Outcome = Outcome,
        UpdatedAt = UpdatedAt,
    };
}

/// <summary>A caller's long poll.</summary>
internal sealed class CommandWait(Command command, CallerRef caller)
{
    internal Command Command { get; } = command;

    internal CallerRef Caller { get; } = caller;

    internal WheelTimer? Timer { get; set; }
}
