namespace Ork.Cli.Demo;

/// <summary>What a demonstration does.</summary>
/// <param name="Workers">Workers.</param>
/// <param name="Devices">Devices of each Worker.</param>
/// <param name="Commands">Commands sent.</param>
/// <param name="KernelKills">Times the kernel is killed in mid-flow.</param>
/// <param name="WorkerKills">Times the Worker host is killed in mid-flow.</param>
/// <param name="Seed">Chooses devices, commands and moments.</param>
/// <param name="InFlight">Commands under way at once; as many again to Workers that hang.</param>
/// <param name="HangWorkers">Workers whose devices hang for a while in mid-flow.</param>
internal sealed record DemoPlan(int Workers, int Devices, int Commands, int KernelKills, int WorkerKills, int Seed, int InFlight, int HangWorkers);

/// <summary>A demonstration's verdict; its members are the ones of <c>--json</c>.</summary>
internal sealed record DemoReport
{
    /// <summary>Distinct commands a caller was told are accepted.</summary>
    public required int Accepted { get; init; }

    /// <summary>Of these, how many succeeded.</summary>
    public required int Succeeded { get; init; }

    /// <summary>How many failed, each with an honest reason.</summary>
    public required int Failed { get; init; }

    /// <summary>Accepted commands that the store does not hold, or that never ended, or that ended otherwise than the caller was told.</summary>
    public required int Lost { get; init; }

    /// <summary>Commands not declared safe to repeat that a device executed more than once.</summary>
    public required int ExecutedTwice { get; init; }

    /// <summary>Commands that succeeded without any device having executed them.</summary>
    public required int FalseSuccess { get; init; }

    /// <summary>Times the kernel was killed.</summary>
    public required int KernelKills { get; init; }

    /// <summary>Times the Worker host was killed.</summary>
    public required int WorkerKills { get; init; }

    /// <summary>Workers that hung for a while.</summary>
    public required int HungWorkers { get; init; }

    /// <summary>Of these, how many circuits were seen open.</summary>
    public required int CircuitsOpened { get; init; }

    /// <summary>Commands to the other Workers that were sent and ended while those hung.</summary>
    public required int OthersServed { get; init; }

    /// <summary>99th percentile from sending to the end, milliseconds, of commands to the other Workers sent before any hung; 0 where none hung.</summary>
    public required double CalmP99Ms { get; init; }

    /// <summary>The same, of those sent while some hung.</summary>
    public required double HangP99Ms { get; init; }

    /// <summary>Milliseconds from each kill until every Worker was ready and healthy again, in order.</summary>
    public required IReadOnlyList<long> RecoveryMs { get; init; }

    /// <summary>Accepted commands over the time until the last one ended.</summary>
    public required double CommandsPerSecond { get; init; }

    /// <summary>Seconds from the first command to the end of the last.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Repetitions of commands that are declared safe to repeat.</summary>
    public required int SafeRepetitions { get; init; }

    /// <summary>Failures by code.</summary>
    public required IReadOnlyDictionary<string, int> Failures { get; init; }

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>The folder with store, logs and execution log.</summary>
    public required string Directory { get; init; }

    /// <summary>True where nothing was lost, doubled or falsely reported.</summary>
    public bool Held => Lost == 0 && ExecutedTwice == 0 && FalseSuccess == 0;
}
