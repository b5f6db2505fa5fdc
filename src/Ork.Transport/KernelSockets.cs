using System.Globalization;

namespace Ork.Transport;

/// <summary>How a process that only passes frames on uses its sockets.</summary>
public static class KernelSockets
{
    private const string Inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const string Threads = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    /// <summary>
    /// Lets what waits for a socket go on at once on the thread that heard of it, without a detour over the thread pool. For a kernel's process: what goes on there parses
    /// a frame and puts it into the inbox, and never waits. Half of the cores hear of sockets, the others are for the loop and the store: a thread that hears of more links
    /// is woken less often for each. To be called before the process opens its first socket; the runtime has no other switch for either, and what is set already stays.
    /// </summary>
    public static void GoOnAtOnce()
    {
        SetDefault(Inline, "1");
        SetDefault(Threads, Math.Max(1, Environment.ProcessorCount / 2).ToString(CultureInfo.InvariantCulture));
    }

    private static void SetDefault(string variable, string value)
    {
        if (Environment.GetEnvironmentVariable(variable) is null) Environment.SetEnvironmentVariable(variable, value);
    }
}
