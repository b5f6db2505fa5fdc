using System.Globalization;

namespace OrkSim;

/// <summary>
/// How the .NET runtime of a process that explores should be set up. A process reads these from its environment when it starts; the same runs come out without
/// them, two to three times as slowly.
/// </summary>
public static class ExplorationRuntime
{
    private const long YoungBytesPerCore = 64L << 20;

    /// <summary>The variables of the environment.</summary>
    /// <param name="cores">How many cores it uses.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Variables(int cores) =>
    [
        // It lives for a minute or an hour: what profiling would gain comes after its end, and what is warm is compiled for good at once.
        new("DOTNET_TieredPGO", "0"),
        new("DOTNET_TC_CallCountingDelayMs", "0"),

        // Worlds die young and whole: the fewer collections, the less there is to look at.
        new("DOTNET_GCgen0size", (YoungBytesPerCore * cores).ToString("x", CultureInfo.InvariantCulture)),
    ];
}
