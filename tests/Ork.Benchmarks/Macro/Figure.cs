using System.Text.Json.Serialization;

namespace Ork.Benchmarks;

/// <summary>One measured figure beside the machine's own limit from the same run.</summary>
internal sealed record Figure
{
    /// <summary>What was measured, for people.</summary>
    [JsonIgnore]
    public string Title { get; init; } = "";

    /// <summary>What the limit is, for people.</summary>
    [JsonIgnore]
    public string LimitTitle { get; init; } = "";

    /// <summary>Completed in a second, where it is a rate.</summary>
    public double? PerSecond { get; init; }

    /// <summary>Milliseconds, where it is a time.</summary>
    public double? Ms { get; init; }

    /// <summary>The median latency.</summary>
    public double? P50Ms { get; init; }

    /// <summary>The latency of which one in a hundred is longer.</summary>
    public double? P99Ms { get; init; }

    /// <summary>The limit, in the same unit as the figure.</summary>
    public double? Limit { get; init; }

    /// <summary>How near to the limit: 1 is at it. For a rate the figure over the limit, for a time the limit over the figure.</summary>
    public double? Ratio => Limit is not { } limit ? null : PerSecond is { } rate ? rate / limit : (P50Ms ?? Ms) is { } ms ? limit / ms : null;

    /// <summary>Bytes the kernel, or the simulator, allocated for each.</summary>
    public double? BytesEach { get; init; }

    /// <summary>Virtual seconds in a real one.</summary>
    public double? TimeRatio { get; init; }

    /// <summary>The same for the scenario in the middle: half are faster.</summary>
    public double? MedianTimeRatio { get; init; }

    /// <summary>Microseconds of processor time the kernel took for each.</summary>
    public double? KernelCpuUs { get; init; }

    /// <summary>The kernel's share of one core.</summary>
    public double? CoreShare { get; init; }

    /// <summary>The kernel's memory.</summary>
    public double? MemoryMb { get; init; }

    /// <summary>The store's size at the end.</summary>
    public double? StoreMb { get; init; }

    /// <summary>Commands in a second of the bare append and sync of the same bytes in the same batches.</summary>
    public double? AppendLimit { get; init; }

    /// <summary>Records that became durable for each.</summary>
    public double? RecordsEach { get; init; }

    /// <summary>Commands in a commit, on average.</summary>
    public double? CommandsPerCommit { get; init; }
}
