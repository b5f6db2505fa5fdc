namespace OrkSim;

/// <summary>
/// The scenario of a violating run, made smaller: of what <see cref="ScenarioArbitrary.Smaller"/> offers, the first that still violates is taken, until none does. Each
/// is tried with the choices of the run as far as they fit, and under a few seeds; the smallest run of these counts. Then the seed whose run is the shortest.
/// </summary>
internal sealed class ScenarioShrinker(Shrinker shrinker)
{
    private const int MostSeeds = 10;
    private const long StepsPerOffer = 60_000;
    private const int LastSeeds = 64;

    // Not the number of jobs: what is tried together decides what is taken, and must be the same for any number of them.
    private const int SeedsAtOnce = 4;
    private const int MostMoments = 6;

    internal void Run()
    {
        if (shrinker.Best.Scenario.CrashAnywhere) return;
        if (shrinker.Best.Crash is { } crash && !AsFault(crash)) return;
        Smaller();
        Shortest();
    }

    /// <summary>Goes round what is offered, on from where something was taken last, until a whole round takes nothing.</summary>
    private void Smaller()
    {
        var (at, left) = (0, int.MaxValue);
        while (left > 0 && !shrinker.IsOver)
        {
            var offered = ScenarioArbitrary.Smaller(shrinker.Best.Scenario).ToArray();
            left = Math.Min(left, offered.Length);
            if (left == 0) return;
            at %= offered.Length;
            if (Smallest(Tries(offered[at])) is { } run)
            {
                shrinker.Take(run);
                left = int.MaxValue;
            }
            else
            {
                at++;
                left--;
            }
        }
    }

    /// <summary>With the choices of the run as far as they fit, and under a few seeds.</summary>
    private IEnumerable<Func<SimRun?>> Tries(Scenario smaller)
    {
        var (seed, choices) = (shrinker.Best.Seed, shrinker.ChoicesBySite());
        return
        [
            () => shrinker.TryChoices(smaller, choices),
            .. WithoutOneStrike(smaller, choices).Select<Dictionary<DrawSite, IReadOnlyList<int>>, Func<SimRun?>>(fewer => () => shrinker.TryChoices(smaller, fewer)),
            .. Enumerable.Range(0, Seeds).Select(number => Seeded(smaller, seed + (ulong)number)),
        ];
    }

    /// <summary>Few while runs are long: by steps and not by time, so that the answer is the same on any machine.</summary>
    private int Seeds => (int)Math.Clamp(StepsPerOffer / Math.Max(1, shrinker.Best.Result.Steps), 1, MostSeeds);

    /// <summary>Where one strike less is to be drawn, which one goes: each of the first moments and lengths in turn.</summary>
    private IEnumerable<Dictionary<DrawSite, IReadOnlyList<int>>> WithoutOneStrike(Scenario smaller, Dictionary<DrawSite, IReadOnlyList<int>> choices)
    {
        if (ReferenceEquals(smaller.Faults, shrinker.Best.Scenario.Faults)) yield break;
        for (var fault = 0; fault < smaller.Faults.Count; fault++)
        {
            var site = new DrawSite(SimNode.SiteOf(SimWorld.FaultNode(smaller.Faults, fault)), DrawKind.Duration);
            if (shrinker.Best.Scenario.Faults.Contains(smaller.Faults[fault]) || !choices.TryGetValue(site, out var moments)) continue;
            for (var i = 0; i < Math.Min(moments.Count, MostMoments); i++)
            {
                yield return new Dictionary<DrawSite, IReadOnlyList<int>>(choices) { [site] = [.. moments.Take(i), .. moments.Skip(i + 1)] };
            }
        }
    }

    /// <summary>A crash at a step means nothing in another world: as a fault it does.</summary>
    private bool AsFault(CrashPoint crash)
    {
        var best = shrinker.Best;
        var at = TimeSpan.FromSeconds(best.Result.Violations[0].Seconds);
        var fault = new FaultSpec
        {
            Kind = crash.Node == "kernel" ? "kernel-crash" : "worker-crash", Times = 1, For = TimeSpan.FromMilliseconds(200), Nasty = 0,
            At = new TimeRange(TimeSpan.Zero, at < best.Scenario.HealAt ? at : best.Scenario.HealAt),
        };
        var scenario = best.Scenario with { Faults = [.. best.Scenario.Faults, fault] };
        for (var first = 0; first < LastSeeds && !shrinker.IsOver; first += SeedsAtOnce)
        {
            if (Array.Find(shrinker.Make([.. Enumerable.Range(first, SeedsAtOnce).Select(number => Seeded(scenario, best.Seed + (ulong)number))]), static run => run is not null) is not { } run) continue;
            shrinker.Take(run);
            return true;
        }

        return false;
    }

    private void Shortest()
    {
        var (scenario, seed) = (shrinker.Best.Scenario, shrinker.Best.Seed);
        if (shrinker.Best.Crash is not null) return;
        for (var first = 1; first < LastSeeds && !shrinker.IsOver; first += SeedsAtOnce)
        {
            foreach (var run in shrinker.Make([.. Enumerable.Range(first, SeedsAtOnce).Select(number => Seeded(scenario, seed + (ulong)number))]))
            {
                if (run is not null && IsLess(run, shrinker.Best)) shrinker.Take(run);
            }
        }
    }

    private static bool IsLess(SimRun a, SimRun b) => Measure(a).CompareTo(Measure(b)) < 0;

    private static (int Faults, long Events) Measure(SimRun run) => (run.Result.Size.Faults, run.Result.Size.Events);

    private Func<SimRun?> Seeded(Scenario scenario, ulong seed) => () => shrinker.TrySeed(scenario, seed);

    /// <summary>The smallest of several that violate the invariant and are no larger than the smallest so far; the first of equals.</summary>
    private SimRun? Smallest(IEnumerable<Func<SimRun?>> tries)
    {
        var best = Measure(shrinker.Best);
        return shrinker.Make([.. tries]).OfType<SimRun>().Where(run => run.Result.Size.Faults <= best.Faults && run.Result.Size.Events <= best.Events).MinBy(Measure);
    }
}
