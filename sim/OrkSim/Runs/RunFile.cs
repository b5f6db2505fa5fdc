using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ork.Protocol;

namespace OrkSim;

/// <summary>A run as a file: everything needed to have it again, and what it was.</summary>
public sealed record RunFile
{
    /// <summary>The version of the format this writes, and the only one it reads.</summary>
    public const int CurrentVersion = 1;

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

    /// <summary>What happened.</summary>
    public IReadOnlyList<EventLine> Events { get; init; } = [];

    /// <summary>A run made again with everything kept, as a file.</summary>
    public static RunFile From(SimRun run, SimWorld world)
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
            Verdict = run.Result.Held ? "held" : "violated",
            Violations = run.Result.Violations,
            Steps = run.Result.Steps,
            SimulatedSeconds = run.Result.SimulatedSeconds,
            Hash = run.Result.Hash,
            Choices = run.Result.Choices,
            Events = [.. world.Trace.Select(happened => EventLine.From(in happened))],
        };
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ScenarioException">It is no run, or one of another version.</exception>
    public static RunFile Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var run = JsonSerializer.Deserialize<RunFile>(stream, Options) ?? throw new ScenarioException($"{path} is empty.");
            return run.FormatVersion == CurrentVersion ? run : throw new ScenarioException($"{path} has format version {run.FormatVersion}; this program reads {CurrentVersion}.");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or FormatException)
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
    /// <param name="world">The world, for its trace.</param>
    public SimRun Replay(WatchOptions watch, out SimWorld world)
    {
        ArgumentNullException.ThrowIfNull(watch);
        world = new SimWorld(Scenario, new RecordedChoices(Choices), watch with { KeepChoices = true });
        if (Crash is not null) world.CrashAtStep(Crash.Step, Crash.Node);
        return new SimRun(Scenario, GearNames.Parse(Gear) ?? OrkSim.Gear.Swarm, Seed, Crash, world.Run());
    }
}

/// <summary>One event in a file or on a terminal.</summary>
public sealed record EventLine
{
    /// <summary>When, virtual milliseconds.</summary>
    public required double Ms { get; init; }

    /// <summary>In which step.</summary>
    public required long Step { get; init; }

    /// <summary>What happened.</summary>
    public required string Kind { get; init; }

    /// <summary>Where.</summary>
    public string? Node { get; init; }

    /// <summary>The other side.</summary>
    public string? Peer { get; init; }

    /// <summary>The link.</summary>
    public int? Link { get; init; }

    /// <summary>The frame.</summary>
    public string? Frame { get; init; }

    /// <summary>The frame's correlation.</summary>
    public ulong? Correlation { get; init; }

    /// <summary>What it is about.</summary>
    public string? Subject { get; init; }

    /// <summary>What else there is to say: for frames the envelope.</summary>
    public string? Detail { get; init; }

    /// <summary>An event as a line.</summary>
    public static EventLine From(in SimEvent happened)
    {
        var isFrame = happened.Kind is SimEventKind.FrameSent or SimEventKind.FrameTaken;
        return new EventLine
        {
            Ms = happened.Ticks / (double)TimeSpan.TicksPerMillisecond,
            Step = happened.Step,
            Kind = happened.Kind.ToString(),
            Node = happened.Node?.Name,
            Peer = happened.Connection?.Other.Owner.Name,
            Link = happened.Connection?.Link,
            Frame = isFrame ? happened.Frame.ToString() : null,
            Correlation = isFrame ? happened.Correlation : null,
            Subject = SubjectOf(in happened),
            Detail = isFrame ? Encoding.UTF8.GetString(happened.Payload.Span) : DetailOf(in happened),
        };
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Ms,12:F3} ms  {Step,7}  {Kind,-15} {Node,-10}");
        if (Peer is not null) text.Append(CultureInfo.InvariantCulture, $" {(Kind == nameof(SimEventKind.FrameTaken) ? "<-" : "->")} {Peer} #{Link}");
        if (Frame is not null) text.Append(CultureInfo.InvariantCulture, $" {Frame} {Correlation}");
        if (Subject is not null) text.Append(' ').Append(Subject);
        if (Detail is not null) text.Append(' ').Append(Detail);
        return text.ToString();
    }

    private static string? SubjectOf(in SimEvent happened) => happened.Kind switch
    {
        SimEventKind.Note => $"{happened.Note} {happened.Subject}",
        SimEventKind.StoreOpened => string.Create(CultureInfo.InvariantCulture, $"epoch {happened.Correlation}"),
        SimEventKind.FrameSent or SimEventKind.FrameTaken => happened.Message is { } message ? OrkActions.NameOf(message.Action) : null,
        _ => happened.Subject,
    };

    private static string? DetailOf(in SimEvent happened) => happened.Kind switch
    {
        SimEventKind.CommitSubmitted or SimEventKind.CommitApplying or SimEventKind.CommitDurable => happened.Detail,
        SimEventKind.Executed => $"{happened.Execution!.DeviceId} attempt {happened.Execution.Attempt} epoch {happened.Execution.Epoch}",
        _ => happened.Detail,
    };
}
