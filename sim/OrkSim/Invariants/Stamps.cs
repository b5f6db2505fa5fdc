using System.Buffers.Text;
using Ork.Protocol;

namespace OrkSim;

/// <summary>When envelopes say that they were written: none in its sender's future, a Worker's answer at the moment that it leaves, a kernel's not before it was asked (S20).</summary>
internal static class Stamps
{
    private static readonly long Tick = TimeSpan.FromMilliseconds(2).Ticks;

    /// <summary>A frame leaves.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal static string? Wrong(in SimEvent sent, Facts facts)
    {
        if (sent.Message is null || facts.World.WallJumps || sent.Node is not { } sender || (sender.Kind == NodeKind.Worker ? !facts.World.IsHonest(sender.Name) : facts.World.IsBroken(sender))) return null;
        if (TicksOf(sent.Payload.Span) is not { } written) return $"{sender} sends what does not say when it was written.";
        var now = sender.Clock.GetUtcNow().UtcTicks;
        if (written > now + Tick) return $"{sender} sends what it says to have written {SimDefaults.Seconds(written - now)} s from now.";
        var earliest = sender.Kind == NodeKind.Worker ? sent.Ticks
            : sender.Kind == NodeKind.Kernel && sent.Frame == FrameKind.Response && sent.Connection!.Facts is { } link && link.Questions.TryGetValue(sent.Correlation, out var question) ? question.Ticks
            : 0;
        return written < now - (sent.Ticks - earliest) - Tick ? $"{sender} sends what it says to have written {SimDefaults.Seconds(now - written)} s ago, and was asked since." : null;
    }

    private static long? TicksOf(ReadOnlySpan<byte> envelope)
    {
        var at = envelope.IndexOf("\"timestamp\":"u8);
        return at >= 0 && Utf8Parser.TryParse(envelope[(at + "\"timestamp\":"u8.Length)..], out long ms, out _) ? DateTimeOffset.UnixEpoch.UtcTicks + (ms * TimeSpan.TicksPerMillisecond) : null;
    }
}
