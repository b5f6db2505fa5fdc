namespace Ork.Transport;

/// <summary>How a process that only passes frames on uses its sockets.</summary>
public static class KernelSockets
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>
    /// Lets what waits for a socket go on at once on the thread that heard of it, without a detour over the thread pool. For a kernel's process: what goes on there parses
    /// a frame and puts it into the inbox, and never waits. To be called before the process opens its first socket; the runtime has no other switch for it.
    /// </summary>
    public static void GoOnAtOnce()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null) Environment.SetEnvironmentVariable(Variable, "1");
    }
}
