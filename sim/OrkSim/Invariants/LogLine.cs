using Ork.Kernel;

namespace OrkSim;

/// <summary>What a line of a command's log says.</summary>
internal static class LogLine
{
    /// <summary>The trigger that it is recorded to have been; its detail may add why.</summary>
    internal static ReadOnlySpan<char> TriggerOf(in TransitionRow line)
    {
        var end = line.Detail.IndexOf(':', StringComparison.Ordinal);
        return end < 0 ? line.Detail : line.Detail.AsSpan(0, end);
    }
}
