using System.Globalization;
using System.Text.Json;

namespace OrkSim;

/// <summary>A line of a story.</summary>
/// <param name="Event">The event it tells.</param>
/// <param name="Ms">When, virtual milliseconds.</param>
/// <param name="Who">Where.</param>
/// <param name="Text">What, in words.</param>
public sealed record StoryLine(int Event, double Ms, string Who, string Text);

/// <summary>
/// The shortest story of a run: of all its events those that are about what the violation is about, with the faults, crashes and starts around them, in words.
/// </summary>
public sealed class Story
{
    private const int MostLines = 60;
    private const int FirstLines = 10;

    private readonly RunReading _reading;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly bool _watchesLinks;

    private Story(RunReading reading)
    {
        _reading = reading;
        _watchesLinks = reading.About.Count > 0 && reading.About.All(id => reading.File.Nodes.Any(node => node.Name == id));
    }

    /// <summary>The lines.</summary>
    public IReadOnlyList<StoryLine> Lines { get; private set; } = [];

    /// <summary>How many lines were left out in the middle because there were too many.</summary>
    public int LeftOut { get; private set; }

    /// <summary>The short names that lines use, and whose they are.</summary>
    public IReadOnlyDictionary<string, string> Names => _names.ToDictionary(static pair => pair.Value, static pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Tells a run.</summary>
    /// <param name="reading">The run.</param>
    /// <param name="onlyBefore">True: nothing that did not happen before the violation.</param>
    public static Story Of(RunReading reading, bool onlyBefore)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var story = new Story(reading);
        var lines = new List<StoryLine>();
        for (var i = 0; i < reading.File.Events.Count; i++)
        {
            if (onlyBefore && reading.Before is { } before && !before[i]) continue;
            var line = reading.File.Events[i];
            if (story.Belongs(line) && story.Tell(i, line) is { } text) lines.Add(new StoryLine(i, line.Ms, line.Node ?? "world", text));
        }

        story.LeftOut = Math.Max(0, lines.Count - MostLines);
        story.Lines = story.LeftOut == 0 ? lines : [.. lines.Take(FirstLines), .. lines.Skip(FirstLines + story.LeftOut)];
        return story;
    }

    /// <summary>A text with its command ids made short, as the story has them.</summary>
    public string Short(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var (id, name) in _names) text = text.Replace(id, name, StringComparison.Ordinal);
        return text;
    }

    private bool Belongs(EventLine line)
    {
        switch (Enum.Parse<SimEventKind>(line.Kind))
        {
            case SimEventKind.Fault or SimEventKind.Healed or SimEventKind.NodeUp or SimEventKind.NodeDown or SimEventKind.StoreOpened or SimEventKind.CommitFailed or SimEventKind.Violated:
                return true;
            case SimEventKind.Transition:
                // The log of a command is told by the commits that hold it.
                return line.Detail!.Split(':')[0] is "worker" or "health" or "circuit" && ConcernsItsWorkers(line);
            case SimEventKind.LinkOpened or SimEventKind.LinkEnded:
                return line.Node is { } node && _reading.File.Nodes.Any(one => one.Name == node && one.Kind == NodeKind.Kernel) && ConcernsItsWorkers(line);
            case SimEventKind.FrameSent:
                return Concerns(line) && (_watchesLinks || (!IsRoutine(line) && NamesMoreThanWorkers(line)));
            case SimEventKind.Note:
                return ConcernsItsWorkers(line);
            case SimEventKind.CommitDurable or SimEventKind.Executed or SimEventKind.Begun:
                return Concerns(line);
            default:
                return false;
        }
    }

    private bool NamesMoreThanWorkers(EventLine line) => line.About is { } about && about.Any(id => !_reading.File.Nodes.Any(node => node.Name == id));

    private bool Concerns(EventLine line) => _reading.About.Count == 0 ? !IsRoutine(line) : line.About is { } about && about.Any(_reading.About.Contains);

    private bool ConcernsItsWorkers(EventLine line) => Concerns(line) || (line.About is { } about && about.Any(_reading.Workers.Contains));

    private static bool IsRoutine(EventLine line) => line.Frame is "Hello" or "Welcome" or "Goodbye"
        || line.Subject is "health.ping" or "health.pong" or "state.pull" or "state.response" or "telemetry.pull" or "telemetry.response";

    private string? Tell(int index, EventLine line) => Enum.Parse<SimEventKind>(line.Kind) switch
    {
        SimEventKind.Fault => $"FAULT {line.Subject}{(line.Detail is { } detail ? " " + detail : "")}",
        SimEventKind.Healed => "no more faults from here on",
        SimEventKind.NodeUp => "starts",
        SimEventKind.NodeDown => $"goes down: {line.Detail}",
        SimEventKind.StoreOpened => $"opens the store, {line.Subject}: {line.Detail}",
        SimEventKind.CommitDurable => $"durable: {Renamed(line.Detail ?? "")}",
        SimEventKind.CommitFailed => $"commit fails: {line.Detail}",
        SimEventKind.Executed => $"DEVICE executes {line.Detail} of {Name(line.Subject)}",
        SimEventKind.Begun => $"journal: {Name(line.Subject)} has begun",
        SimEventKind.Note => $"notes {Renamed(line.Subject ?? "")}{(line.Detail is { } detail ? ": " + Renamed(detail) : "")}",
        SimEventKind.Transition => $"{Renamed(line.Subject ?? "")}, {line.Detail}",
        SimEventKind.LinkOpened => $"link to {line.Peer} opens",
        SimEventKind.LinkEnded => $"link to {line.Peer} ends{(line.Detail is { } why ? ": " + why : "")}",
        SimEventKind.FrameSent => $"-> {line.Peer}: {Said(line)}{Arrival(index)}",
        SimEventKind.Violated => $"VIOLATED {line.Subject}: {Renamed(line.Detail ?? "")}",
        _ => null,
    };

    private string Arrival(int index) => _reading.Arrivals[index] is var at and >= 0
        ? string.Create(CultureInfo.InvariantCulture, $"  (there at {_reading.File.Events[at].Ms / 1000:F4} s)") : "  (never read)";

    /// <summary>What an envelope says, in a few words.</summary>
    private string Said(EventLine line)
    {
        var words = new List<string> { line.Subject ?? line.Frame ?? "a frame" };
        try
        {
            using var json = JsonDocument.Parse(line.Detail ?? "");
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return words[0];
            if (root.TryGetProperty("payload", out var payload) && payload.ValueKind == JsonValueKind.Object)
            {
                foreach (var member in new[] { "command", "status", "error", "outcome", "cancelled", "stopped", "priority" })
                {
                    if (payload.TryGetProperty(member, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)) words.Add(member is "command" or "status" ? $"{value}" : $"{member} {value}");
                }

                if (payload.TryGetProperty("attempt", out var attempt)) words.Add($"attempt {attempt}");
                if (payload.TryGetProperty("epoch", out var epoch)) words.Add($"epoch {epoch}");
            }

            if (root.TryGetProperty("deviceId", out var device) && device.ValueKind == JsonValueKind.String) words.Add($"for {device}");
        }
        catch (JsonException)
        {
            words.Add("(no JSON)");
        }

        if (line.About?.FirstOrDefault(RunReading.IsCommand) is { } command) words.Add($"[{Name(command)}]");
        return string.Join(' ', words);
    }

    private string Renamed(string text)
    {
        foreach (var word in text.Split(' ', ',', ':', ';', '(', ')', '.'))
        {
            if (RunReading.IsCommand(word)) text = text.Replace(word, Name(word), StringComparison.Ordinal);
        }

        return text;
    }

    private string Name(string? id)
    {
        if (id is null || !RunReading.IsCommand(id)) return id ?? "";
        if (!_names.TryGetValue(id, out var name)) _names.Add(id, name = string.Create(CultureInfo.InvariantCulture, $"c{_names.Count + 1}"));
        return name;
    }
}
