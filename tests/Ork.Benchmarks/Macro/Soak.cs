using System.Diagnostics;
using System.Globalization;

namespace Ork.Benchmarks;

/// <summary>
/// Mixed load for a long time, with Workers killed in mid-flow every round and the kernel now and then: says after each round how it stands, and at the end how much
/// memory and latency rose within the lives of the kernel.
/// </summary>
internal static class Soak
{
    internal const string Usage = """
        soak [--minutes 30] [--dir FOLDER]
          Commands and pulls at once; the Workers' process is killed every 30 s, the kernel every 5 minutes. Ends with the slopes of memory and latency within the lives of the kernel, and with its memory in each.
        """;

    private const int Workers = 100;
    private const int RoundsOfALife = 10;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(30);

    /// <summary>How it stood at the end of a round.</summary>
    private readonly record struct Standing(int Life, double Minutes, double MemoryMb, double P99Ms);

    internal static async Task<int> RunAsync(string[] args)
    {
        var minutes = double.Parse(MacroRun.Value(args, "--minutes") ?? "30", CultureInfo.InvariantCulture);
        using var site = new Site(Path.Combine(MacroRun.Value(args, "--dir") ?? Path.GetTempPath(), "ork-soak-" + Environment.ProcessId));
        var group = new WorkerGroup(site.WorkersEndpoints[0], "soak", Workers, 100);
        var rounds = new List<Standing>();
        var clock = Stopwatch.StartNew();
        for (var round = 0; clock.Elapsed.TotalMinutes < minutes; round++)
        {
            if (round % RoundsOfALife == 0)
            {
                site.KillKernel();
                site.StartKernel();
            }

            var (commands, pulls) = await RoundAsync(site, group);
            var standing = new Standing(round / RoundsOfALife, clock.Elapsed.TotalMinutes, site.Use().WorkingSetBytes / 1e6, commands.P99Ms);
            rounds.Add(standing);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{standing.Minutes,5:f1} min  {commands.PerSecond,8:n0} commands/s p99 {commands.P99Ms,7:f1} ms  {pulls.PerSecond,8:n0} pulls/s p99 {pulls.P99Ms,7:f1} ms  {commands.Failed + pulls.Failed,6:n0} refused or failed  {standing.MemoryMb,6:f0} MB"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"slope of memory {Slope(rounds, static at => at.MemoryMb):f2} MB a minute, of the commands' p99 {Slope(rounds, static at => at.P99Ms):f2} ms a minute"));

        // A slope within lives does not show what a start leaves behind.
        var lives = rounds.GroupBy(static at => at.Life).Select(static life => life.Average(static at => at.MemoryMb).ToString("f0", CultureInfo.InvariantCulture));
        Console.WriteLine($"memory on average in each life of the kernel: {string.Join(", ", lives)} MB");
        return 0;
    }

    private static async Task<(LoadResult Commands, LoadResult Pulls)> RoundAsync(Site site, WorkerGroup group)
    {
        site.StartWorkers(group);
        await site.ReadyAsync(Workers, group.Prefix, TimeSpan.FromSeconds(60));
        using var callers = site.Connect();
        using var pullers = site.Connect();
        var plan = new LoadPlan { Devices = group.AllDevices, InFlight = 128, WarmUp = TimeSpan.Zero, Duration = RoundTime, MayFail = true };
        var commands = Task.Factory.StartNew(() => Load.Commands(callers, plan), TaskCreationOptions.LongRunning);
        var pulls = Task.Factory.StartNew(() => Load.Pulls(pullers, plan), TaskCreationOptions.LongRunning);
        await Task.Delay(RoundTime - TimeSpan.FromSeconds(5));
        site.KillWorkers();
        site.StartWorkers(group);
        var results = (await commands, await pulls);
        site.KillWorkers();
        return results;
    }

    /// <summary>The rise a minute by least squares, over all lives, each against its own mean; the first round of a life, which warms up, left out.</summary>
    private static double Slope(IReadOnlyList<Standing> rounds, Func<Standing, double> of)
    {
        double over = 0, under = 0;
        foreach (var life in rounds.GroupBy(static at => at.Life))
        {
            var points = life.Skip(1).ToArray();
            if (points.Length < 2) continue;
            var (x, y) = (points.Average(static at => at.Minutes), points.Average(of));
            over += points.Sum(at => (at.Minutes - x) * (of(at) - y));
            under += points.Sum(at => (at.Minutes - x) * (at.Minutes - x));
        }

        return under == 0 ? 0 : over / under;
    }
}
