using System.Globalization;

namespace OrkSim;

/// <summary>
/// How the .NET runtime of a process that explores should be set up. A process reads these from its environment when it starts; the same runs come out without
/// them, two to three times as slowly.
/// </summary>
public static class ExplorationRuntime
{
    private const long MostYoungBytesPerCore = 128L << 20;
    private const long LeastYoungBytesPerCore = 16L << 20;

    // Of the machine's memory, what young worlds may take in all.
    private const int ShareOfMemory = 8;

    /// <summary>
    /// From here on it pays to run code as it comes and to watch it before it is compiled for good: a core then makes a quarter fewer runs in the first ten seconds, and a
    /// sixth more ever after.
    /// </summary>
    public static readonly TimeSpan ProfilingPays = TimeSpan.FromSeconds(90);

    /// <summary>The variables of the environment.</summary>
    /// <param name="cores">How many cores it uses.</param>
    /// <param name="expected">How long it will explore.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Variables(int cores, TimeSpan expected) =>
    [
        new("DOTNET_TieredPGO", expected >= ProfilingPays ? "1" : "0"),
        new("DOTNET_TC_QuickJit", expected >= ProfilingPays ? "1" : "0"),
        new("DOTNET_TC_CallCountingDelayMs", "0"),

        // Worlds die young and whole: the fewer collections, the less there is to look at, and where all cores collect none waits for one of them.
        new("DOTNET_gcServer", "1"),
        new("DOTNET_GCDynamicAdaptationMode", "0"),
        new("DOTNET_GCgen0size", YoungBytesPerCore(cores).ToString("x", CultureInfo.InvariantCulture)),
    ];

    private static long YoungBytesPerCore(int cores) =>
        Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / ShareOfMemory / Math.Max(1, cores), LeastYoungBytesPerCore, MostYoungBytesPerCore);
}
