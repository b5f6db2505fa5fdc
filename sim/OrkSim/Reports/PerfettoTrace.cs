using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrkSim;

/// <summary>A run in the trace event format, which Perfetto and Chrome's tracing page open: a track a node, commands as spans, frames as arrows, faults and commits as slices.</summary>
public static class PerfettoTrace
{
    private const int Simulation = 1;
    private const int Commands = 2;
    private const int FaultTrack = 9_000;
    private const int StoreTrack = 9_001;
    private const double FrameUs = 20;

    /// <summary>Writes it.</summary>
    public static void Write(RunFile file, Stream stream)
    {
        var reading = new RunReading(file);
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("displayTimeUnit", "ms");
        writer.WriteStartArray("traceEvents");
        new Scribe(reading, writer).Write();
        writer.WriteEndArray();
        writer.WriteStartObject("otherData");
        writer.WriteString("scenario", file.Scenario.Name);
        writer.WriteString("gear", file.Gear);
        writer.WriteNumber("seed", file.Seed);
        writer.WriteString("hash", file.Hash);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private sealed class Scribe(RunReading reading, Utf8JsonWriter writer)
    {
        private readonly Dictionary<string, int> _tracks = reading.File.Nodes.Select(static (node, number) => (node.Name, number)).ToDictionary(static pair => pair.Name, static pair => pair.number + 1, StringComparer.Ordinal);
        private readonly Dictionary<string, string> _states = new(StringComparer.Ordinal);
        private double? _submittedUs;

        internal void Write()
        {
            Meta("process_name", Simulation, 0, "simulation");
            Meta("process_name", Commands, 0, "commands");
            foreach (var (name, track) in _tracks) Meta("thread_name", Simulation, track, name);
            Meta("thread_name", Simulation, FaultTrack, "faults");
            Meta("thread_name", Simulation, StoreTrack, "store");
            var down = new Dictionary<string, double>(StringComparer.Ordinal);
            for (var i = 0; i < reading.File.Events.Count; i++) Event(i, reading.File.Events[i], down);
            var endUs = reading.File.SimulatedSeconds * 1e6;
            foreach (var (node, since) in down) Slice("down", "node", Track(node), since, endUs - since, null);
            foreach (var (command, state) in _states) Span("e", state, command, endUs);
        }

        private void Event(int index, EventLine line, Dictionary<string, double> down)
        {
            var us = line.Ms * 1000;
            switch (Enum.Parse<SimEventKind>(line.Kind))
            {
                case SimEventKind.FrameSent:
                    Frame(index, line, us, "s", "send");
                    break;
                case SimEventKind.FrameTaken:
                    Frame(index, line, us, "f", "take");
                    break;
                case SimEventKind.Fault:
                    Slice(line.Subject!, "fault", FaultTrack, us, Math.Max(1, (line.ForMs ?? 0) * 1000), line);
                    break;
                case SimEventKind.NodeDown when line.Node is { } node:
                    down[node] = us;
                    break;
                case SimEventKind.NodeUp when line.Node is { } node && down.Remove(node, out var since):
                    Slice("down", "node", Track(node), since, us - since, line);
                    break;
                case SimEventKind.CommitSubmitted:
                    _submittedUs = us;
                    break;
                case SimEventKind.CommitDurable or SimEventKind.CommitFailed when _submittedUs is { } submitted:
                    Slice(line.Kind == nameof(SimEventKind.CommitDurable) ? "commit" : "commit failed", "store", StoreTrack, submitted, us - submitted, line);
                    _submittedUs = null;
                    break;
                case SimEventKind.Transition when line.Detail!.StartsWith("command:", StringComparison.Ordinal):
                    CommandMoved(line, us);
                    break;
                case SimEventKind.CommitApplying or SimEventKind.Transition or SimEventKind.Pulse:
                    break;
                case SimEventKind.Violated:
                    Instant($"VIOLATED {line.Subject}", line, us, "g");
                    break;
                default:
                    Instant(line.Kind, line, us, "t");
                    break;
            }
        }

        private void CommandMoved(EventLine line, double us)
        {
            var to = line.Detail![(line.Detail!.LastIndexOf(' ') + 1)..];
            if (_states.Remove(line.Subject!, out var state)) Span("e", state, line.Subject!, us);
            if (to is "Success" or "Failed") return;
            _states.Add(line.Subject!, to);
            Span("b", to, line.Subject!, us);
        }

        private void Frame(int index, EventLine line, double us, string flow, string verb)
        {
            var track = Track(line.Node!);
            Slice($"{verb} {line.Subject ?? line.Frame}", "frame", track, us, FrameUs, line);
            var sent = flow == "s" ? index : SentAs(index);
            if (sent < 0 || reading.Arrivals[sent] < 0) return;
            Begin(flow, line.Subject ?? line.Frame!, "frame", Simulation, track, us);
            writer.WriteNumber("id", sent);
            if (flow == "f") writer.WriteString("bp", "e");
            writer.WriteEndObject();
        }

        private Dictionary<int, int>? _sentBy;

        private int SentAs(int taken)
        {
            _sentBy ??= reading.Arrivals.Select(static (to, from) => (to, from)).Where(static pair => pair.to >= 0).ToDictionary(static pair => pair.to, static pair => pair.from);
            return _sentBy.GetValueOrDefault(taken, -1);
        }

        private int Track(string node) => _tracks.GetValueOrDefault(node);

        private void Slice(string name, string category, int track, double us, double length, EventLine? line)
        {
            Begin("X", name, category, Simulation, track, us);
            writer.WriteNumber("dur", length);
            Arguments(line);
            writer.WriteEndObject();
        }

        private void Span(string phase, string name, string id, double us)
        {
            Begin(phase, name, "command", Commands, 0, us);
            writer.WriteString("id", id);
            writer.WriteEndObject();
        }

        private void Instant(string name, EventLine line, double us, string scope)
        {
            Begin("i", name, "event", Simulation, Track(line.Node ?? ""), us);
            writer.WriteString("s", scope);
            Arguments(line);
            writer.WriteEndObject();
        }

        private void Arguments(EventLine? line)
        {
            if (line is null) return;
            writer.WriteStartObject("args");
            writer.WriteNumber("step", line.Step);
            if (line.Subject is not null) writer.WriteString("subject", line.Subject);
            if (line.Peer is not null) writer.WriteString("peer", line.Peer);
            if (line.Detail is not null) writer.WriteString("detail", line.Detail);
            writer.WriteEndObject();
        }

        private void Meta(string name, int process, int track, string value)
        {
            Begin("M", name, "__metadata", process, track, 0);
            writer.WriteStartObject("args");
            writer.WriteString("name", value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        private void Begin(string phase, string name, string category, int process, int track, double us)
        {
            writer.WriteStartObject();
            writer.WriteString("ph", phase);
            writer.WriteString("name", name);
            writer.WriteString("cat", category);
            writer.WriteNumber("pid", process);
            writer.WriteNumber("tid", track);
            writer.WriteNumber("ts", us);
        }
    }
}
