namespace OrkSim.Tests;

/// <summary>Every file of the folder scenarios, in every gear it has a budget for; each is one test.</summary>
public sealed class ScenarioTests
{
    public static IEnumerable<object[]> Files => ScenarioFolder.Tests("scenarios");

    [Theory]
    [MemberData(nameof(Files))]
    public void Holds(string file, string gear)
    {
        var report = ScenarioFolder.Run("scenarios", file, gear);
        if (gear == "exhaust") Assert.True(report.Exhausted && report.DistinctExecutions > 10_000, $"{report.DistinctExecutions} distinct executions, exhausted: {report.Exhausted}.");
    }
}
