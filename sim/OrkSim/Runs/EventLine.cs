using System.Globalization;
using System.Text;
using Ork.Protocol;

namespace OrkSim;

/// <summary>One event in a file or on a terminal.</summary>
public sealed record EventLine
{
    private const int MostTransitions = 12;

    /// <summary>When, virtual milliseconds.</summary>
    public required double Ms { get; init; }

    /// <summary>In which step.</summary>
    public required long Step { get; init; }

    /// <summary>What happened: a name of <see cref="SimEventKind"/>.</summary>
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

    /// <summary>How long a fault lasts, milliseconds.</summary>
    public double? ForMs { get; init; }

    /// <summary>The commands, devices and Workers it is about, by id.</summary>
    public IReadOnlyList<string>? About { get; init; }

    /// <summary>
    /// Its vector clock, as what is new in it: pairs of a node's number in <see cref="RunFile.Nodes"/> and how many events of that node came before this one, where
    /// it is more than at the same node's event before. The node's own events count by themselves.
    /// </summary>
    public IReadOnlyList<int>? Saw { get; init; }

    /// <summary>A trace as lines.</summary>
    public static IReadOnlyList<EventLine> From(IReadOnlyList<SimEvent> trace)
    {
        ArgumentNullException.ThrowIfNull(trace);

        // A request for a command does not know its id yet: the answer to it does.
        var commands = new Dictionary<(int Link, ulong Correlation), string>();
        foreach (var happened in trace)
        {
            if (happened is { Connection: { } side, Frame: FrameKind.Response, Message: { Action: OrkAction.CommandResult, CommandId: { } id } }) commands.TryAdd((side.Link, happened.Correlation), id);
        }

        return [.. trace.Select(happened => From(in happened) with { About = AboutOf(in happened, commands) })];
    }

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
            ForMs = happened.Kind == SimEventKind.Fault ? TimeSpan.FromTicks((long)happened.Correlation).TotalMilliseconds : null,
            Saw = happened.Saw,
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
        SimEventKind.CommitSubmitted or SimEventKind.CommitApplying or SimEventKind.CommitDurable => happened.Batch is { } batch ? RecordsOf(batch) : null,
        SimEventKind.Executed => $"{happened.Execution!.Command} on {happened.Execution.DeviceId}, attempt {happened.Execution.Attempt}, epoch {happened.Execution.Epoch}",
        SimEventKind.StoreOpened => happened.Image is { } image ? $"{image.Workers.Count} Workers, {image.Devices.Count} devices, {image.Commands.Count} commands" : null,
        _ => happened.Detail,
    };

    private static string RecordsOf(Ork.Kernel.CommitBatch batch)
    {
        var parts = new List<string>();
        if (batch.Workers.Count > 0) parts.Add($"{batch.Workers.Count} Workers");
        if (batch.Devices.Count > 0) parts.Add($"{batch.Devices.Count} devices");
        if (batch.RemovedDevices.Count > 0) parts.Add($"{batch.RemovedDevices.Count} devices removed");
        if (batch.NewCommands.Count > 0) parts.Add($"{batch.NewCommands.Count} new commands");
        foreach (var row in batch.Log.Take(MostTransitions)) parts.Add($"command {row.CommandSeq}: {row.From} to {row.To}{(row.Detail is { Length: > 0 } detail ? $" ({detail})" : "")}");
        if (batch.Log.Count > MostTransitions) parts.Add($"{batch.Log.Count - MostTransitions} more transitions");
        if (batch.ForgottenCommands.Count > 0) parts.Add($"{batch.ForgottenCommands.Count} commands forgotten");
        return parts.Count == 0 ? "nothing" : string.Join("; ", parts);
    }

    private static List<string>? AboutOf(in SimEvent happened, Dictionary<(int Link, ulong Correlation), string> commands)
    {
        var about = new List<string>();
        void Add(string? id)
        {
            if (id is { Length: > 0 } && !about.Contains(id)) about.Add(id);
        }

        if (happened is { Connection: { } side, Kind: SimEventKind.FrameSent or SimEventKind.FrameTaken })
        {
            if (commands.TryGetValue((side.Link, happened.Correlation), out var command)) Add(command);
            Add(happened.Message?.CommandId);
            Add(happened.Message?.DeviceId);
            foreach (var target in happened.Message?.Targets ?? []) Add(target);
        }

        foreach (var row in happened.Batch?.NewCommands ?? [])
        {
            Add(row.Spec.CommandId);
            Add(row.Spec.DeviceId);
            foreach (var target in row.Spec.Targets ?? []) Add(target);
        }

        foreach (var row in happened.Batch?.ChangedCommands ?? []) Add(row.Spec.CommandId);
        if (happened.Execution is { } execution)
        {
            Add(execution.CommandId);
            Add(execution.DeviceId);
        }

        if (happened.Kind is SimEventKind.Begun or SimEventKind.Note or SimEventKind.Transition) Add(happened.Subject);
        foreach (var node in new[] { happened.Node, happened.Connection?.Other.Owner })
        {
            if (node is { Kind: NodeKind.Worker }) Add(node.Name);
        }

        return about.Count == 0 ? null : about;
    }
}
