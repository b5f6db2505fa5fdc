using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrkSim;

/// <summary>A run as a file: everything needed to have it again, and what it was.</summary>
public sealed record RunFile
{
    /// <summary>The version of the format this writes, and the only one it reads.</summary>
    public const int CurrentVersion = 2;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The version of the format.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>The concrete scenario.</summary>
    public required Scenario Scenario { get; init; }

    /// <summary>The gear.</summary>
    public required string Gear { get; init; }

    /// <summary>The seed, or the number of the run.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Where a sweep crashed what.</summary>
    public CrashPoint? Crash { get; init; }

    /// <summary>The commit that the simulator and the product were built from, or null where it is not known.</summary>
    public string? Commit { get; init; }

    /// <summary>How large it was.</summary>
    public required RunSize Size { get; init; }

    /// <summary>How large the run was that this one was shrunk from, or null.</summary>
    public RunSize? ShrunkFrom { get; init; }

    /// <summary><c>held</c> or <c>violated</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>What did not hold.</summary>
    public required IReadOnlyList<SimViolation> Violations { get; init; }

    /// <summary>Steps of the scheduler.</summary>
    public required long Steps { get; init; }

    /// <summary>Virtual seconds.</summary>
    public required double SimulatedSeconds { get; init; }

    /// <summary>The hash of the whole trace.</summary>
    public required string Hash { get; init; }

    /// <summary>Every decision, in order.</summary>
    public required IReadOnlyList<int> Choices { get; init; }

    /// <summary>The nodes, by their numbers.</summary>
    public IReadOnlyList<RunNode> Nodes { get; init; } = [];

    /// <summary>What happened.</summary>
    public IReadOnlyList<EventLine> Events { get; init; } = [];

    /// <summary>A run made again with everything kept, as a file.</summary>
    /// <param name="run">The run.</param>
    /// <param name="world">Its world.</param>
    /// <param name="shrunkFrom">How large the run was that it was shrunk from, or null.</param>
    public static RunFile From(SimRun run, SimWorld world, RunSize? shrunkFrom = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(world);
        return new RunFile
        {
            FormatVersion = CurrentVersion,
            Scenario = run.Scenario,
            Gear = GearNames.Of(run.Gear),
            Seed = run.Seed,
            Crash = run.Crash,
            Commit = BuiltFrom,
            Size = run.Result.Size,
            ShrunkFrom = shrunkFrom,
            Verdict = run.Result.Held ? "held" : "violated",
            Violations = run.Result.Violations,
            Steps = run.Result.Steps,
            SimulatedSeconds = run.Result.SimulatedSeconds,
            Hash = run.Result.Hash,
            Choices = run.Result.Choices,
            Nodes = [.. world.Nodes.Select(static node => new RunNode(node.Name, node.Kind))],
            Events = EventLine.From(world.Trace),
        };
    }

    /// <summary>The commit that this was built from, or null.</summary>
    public static string? BuiltFrom { get; } = typeof(RunFile).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit] ? commit : null;

    /// <summary>Reads a file.</summary>
    /// <exception cref="ScenarioException">It is no run, or one of another version.</exception>
    public static RunFile Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            using var json = JsonDocument.Parse(stream);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("formatVersion", out var version)) throw new ScenarioException($"{path} is no run file: it does not say its formatVersion.");
            if (!version.TryGetInt32(out var number) || number != CurrentVersion) throw new ScenarioException($"{path} is no run file that this program reads: it has format version {version}, not {CurrentVersion}.");
            return json.Deserialize<RunFile>(Options)!;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or FormatException or InvalidOperationException)
        {
            throw new ScenarioException($"{path} is no run file: {e.Message}");
        }
    }

    /// <summary>Writes it.</summary>
    public void Write(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
        using var stream = File.Create(path);
        JsonSerializer.Serialize(stream, this, Options);
    }

    /// <summary>Runs it again.</summary>
    /// <param name="watch">How it is watched.</param>
    public SimRun Replay(WatchOptions watch) => Replay(watch, out _);

    /// <summary>Runs it again.</summary>
    /// <param name="watch">How it is watched.</param>
    /// <param name="world">The world, for its trace.</param>
    public SimRun Replay(WatchOptions watch, out SimWorld world)
    {
        ArgumentNullException.ThrowIfNull(watch);
        var gear = GearNames.Parse(Gear) ?? OrkSim.Gear.Swarm;
        world = new SimWorld(Scenario, new RecordedChoices(Choices), InvariantCatalogue.Watching(watch, gear) with { KeepChoices = true });
        if (Crash is not null) world.CrashAtStep(Crash.Step, Crash.Node);
        return new SimRun(Scenario, gear, Seed, Crash, world.Run());
    }
}

/// <summary>A node of a run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it is.</param>
public sealed record RunNode(string Name, NodeKind Kind);
