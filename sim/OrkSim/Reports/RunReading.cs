using System.Text.RegularExpressions;

namespace OrkSim;

/// <summary>A run file read for people: which frame arrived where, what came before the violation, and what the violation is about.</summary>
public sealed partial class RunReading
{
    private readonly int[] _own;
    private readonly int[] _nodes;

    /// <summary>Reads a run.</summary>
    /// <exception cref="ScenarioException">It holds no events: it was not written to be told.</exception>
    public RunReading(RunFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Events.Count == 0) throw new ScenarioException("The run file holds no events: nothing can be told of it.");
        File = file;
        var numbers = file.Nodes.Select(static (node, number) => (node.Name, number)).ToDictionary(static pair => pair.Name, static pair => pair.number, StringComparer.Ordinal);
        _nodes = [.. file.Events.Select(line => line.Node is { } node ? numbers.GetValueOrDefault(node) : 0)];
        _own = OwnCounts();
        Arrivals = FindArrivals();

        // The step in which an invariant is violated goes on to its end.
        var last = file.Events.Count - 1;
        while (last >= 0 && file.Events[last].Kind != nameof(SimEventKind.Violated)) last--;
        Violation = last >= 0 ? last : null;
        Before = Violation is { } index ? SliceOf(index) : null;
        About = Violation is { } at ? Concern(file.Events[at].Detail ?? "") : [];
        Workers = [.. file.Events.Where(line => line.Frame is not null && line.About is { } about && about.Any(About.Contains)).SelectMany(static line => line.About!).Concat(About).Where(IsWorker).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The run.</summary>
    public RunFile File { get; }

    /// <summary>For each event that is a frame sent, the event at which it was taken; -1 where it never was, or it is no frame sent.</summary>
    public IReadOnlyList<int> Arrivals { get; }

    /// <summary>The event of the violation, or null.</summary>
    public int? Violation { get; }

    /// <summary>For each event whether it happened before the violation, in Lamport's sense: by the vector clocks. Null where nothing was violated.</summary>
    public IReadOnlyList<bool>? Before { get; }

    /// <summary>How many events happened before the violation.</summary>
    public int BeforeCount => Before?.Count(static one => one) ?? 0;

    /// <summary>What the violation is about, by id: the commands that it names, or else the devices, or else the Workers.</summary>
    public IReadOnlyList<string> About { get; }

    /// <summary>The Workers that had to do with it.</summary>
    public IReadOnlyList<string> Workers { get; }

    /// <summary>Which events happened before one, itself included: those that its clock has counted.</summary>
    public bool[] SliceOf(int index)
    {
        var counts = ClockOf(index);
        var before = new bool[File.Events.Count];
        for (var i = 0; i <= index; i++) before[i] = _own[i] <= counts[_nodes[i]];
        return before;
    }

    /// <summary>An event's whole vector clock: how many events of each node came before it, its own included.</summary>
    public int[] ClockOf(int index)
    {
        var node = _nodes[index];
        var counts = new int[File.Nodes.Count];
        for (var i = 0; i <= index; i++)
        {
            if (_nodes[i] != node) continue;
            counts[node] = _own[i];
            var saw = File.Events[i].Saw ?? [];
            for (var pair = 0; pair + 1 < saw.Count; pair += 2) counts[saw[pair]] = saw[pair + 1];
        }

        return counts;
    }

    private int[] OwnCounts()
    {
        var counts = new int[Math.Max(1, File.Nodes.Count)];
        var own = new int[File.Events.Count];
        for (var i = 0; i < own.Length; i++) own[i] = ++counts[_nodes[i]];
        return own;
    }

    /// <summary>Frames of one direction of a link arrive in order, so each taken one is the first left of its kind and correlation; those before it were lost.</summary>
    private int[] FindArrivals()
    {
        var arrivals = new int[File.Events.Count];
        Array.Fill(arrivals, -1);
        var onTheWay = new Dictionary<(int? Link, string? From), List<int>>();
        for (var i = 0; i < arrivals.Length; i++)
        {
            var line = File.Events[i];
            if (line.Kind == nameof(SimEventKind.FrameSent))
            {
                if (!onTheWay.TryGetValue((line.Link, line.Node), out var sent)) onTheWay.Add((line.Link, line.Node), sent = []);
                sent.Add(i);
            }
            else if (line.Kind == nameof(SimEventKind.FrameTaken) && onTheWay.TryGetValue((line.Link, line.Peer), out var sent))
            {
                var at = sent.FindIndex(index => File.Events[index].Frame == line.Frame && File.Events[index].Correlation == line.Correlation);
                if (at < 0) continue;
                arrivals[sent[at]] = i;
                sent.RemoveAt(at);
            }
        }

        return arrivals;
    }

    private List<string> Concern(string message)
    {
        var known = new HashSet<string>(File.Nodes.Where(static node => node.Kind == NodeKind.Worker).Select(static node => node.Name), StringComparer.Ordinal);
        foreach (var line in File.Events) known.UnionWith(line.About ?? []);
        var named = Words().Matches(message).Select(static word => word.Value).Where(known.Contains).Distinct(StringComparer.Ordinal).ToLookup(id => IsCommand(id) ? 0 : IsWorker(id) ? 2 : 1);
        return [.. named.OrderBy(static ids => ids.Key).FirstOrDefault() ?? Enumerable.Empty<string>()];
    }

    private bool IsWorker(string id) => File.Nodes.Any(node => node.Kind == NodeKind.Worker && node.Name == id);

    internal static bool IsCommand(string id) => Guid.TryParse(id, out _);

    [GeneratedRegex("[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]")]
    private static partial Regex Words();
}
