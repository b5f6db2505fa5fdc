namespace OrkSim;

/// <summary>
/// Exploration that learns from what it met. Every run is weighed by how rare the situations are that it met; those that met the rarest are gone on from: their world
/// again under other seeds, their way up to about where something rare was met and from there another one, or all of their way but for some decisions of one node.
/// Runs of worlds that nobody has tried go on being made in between: what is kept must not become all there is.
/// </summary>
public sealed class GuidedGear
{
    private const int MostKept = 256;
    private const int Candidates = 4;
    private const int FreshPercent = 35;
    private const int SameWorldPercent = 50;
    private const int AnotherEndPercent = 30;
    private const double Weariness = 0.3;
    private const ulong Salt = 0x5DEECE66D1CE4E5BUL;

    private readonly Scenario _scenario;
    private readonly WatchOptions _watch;
    private readonly SeededChoices _chance;
    private readonly Dictionary<ulong, int> _met = [];
    private readonly List<Kept> _kept = [];
    private ulong _fresh;
    private ulong _number;

    /// <summary>Begins with nothing met.</summary>
    /// <param name="scenario">The scenario; its ranges are drawn anew for each fresh run.</param>
    /// <param name="seed">Where its chance begins: the same seed makes the same runs.</param>
    /// <param name="watch">How runs are watched; decisions and situations are always kept.</param>
    public GuidedGear(Scenario scenario, ulong seed, WatchOptions watch)
    {
        ArgumentNullException.ThrowIfNull(watch);
        _scenario = scenario;
        _watch = watch with { KeepChoices = true, KeepSituations = true };
        _chance = new SeededChoices(seed ^ Salt);
        _fresh = _number = seed;
    }

    /// <summary>Runs that are gone on from.</summary>
    public int Corpus => _kept.Count;

    /// <summary>Situations met.</summary>
    public int Met => _met.Count;

    /// <summary>Makes the next run.</summary>
    public SimRun Next()
    {
        var (concrete, choices) = _kept.Count < Candidates || _chance.Next(100) < FreshPercent ? Fresh() : Mutant(Pick());
        var run = new SimRun(concrete, Gear.Guided, _number++, null, new SimWorld(concrete, choices, _watch).Run());
        Keep(run);
        return run;
    }

    private (Scenario Concrete, IChoices Choices) Fresh()
    {
        var seed = _fresh++;
        return (ScenarioArbitrary.Concrete(_scenario, seed), new SeededChoices(seed));
    }

    private (Scenario Concrete, IChoices Choices) Mutant(Kept kept)
    {
        kept.Tried++;
        var way = _chance.Next(100);
        return (kept.Scenario, way < SameWorldPercent ? new SeededChoices(_chance.NextBits())
            : way < SameWorldPercent + AnotherEndPercent ? AnotherEnd(kept)
            : AnotherNode(kept));
    }

    /// <summary>The same way up to about where its rarest situation was met, and from there another one.</summary>
    private ForkedChoices AnotherEnd(Kept kept)
    {
        var rarest = kept.Situations.MinBy(situation => _met[situation.Situation]);

        // Mostly close to it, at times far before.
        var reach = 1 << _chance.Next(12);
        var keep = Math.Clamp(rarest.Draw + _chance.Next(reach) - (reach / 2), 0, kept.Choices.Count);
        return new ForkedChoices(kept.Choices, keep, _chance.NextBits());
    }

    /// <summary>The same for all but some decisions of one kind at one node.</summary>
    private SitedChoices AnotherNode(Kept kept)
    {
        var sites = kept.BySite();
        var changed = new Dictionary<DrawSite, IReadOnlyList<int>>(sites);
        for (var times = 1 + _chance.Next(3); times > 0; times--)
        {
            var site = kept.Sites[_chance.Next(kept.Sites.Count)];
            var mine = sites[site].ToArray();
            var from = _chance.Next(mine.Length);
            var to = Math.Min(mine.Length, from + (1 << _chance.Next(8)));
            for (var i = from; i < to; i++) mine[i] = _chance.Next(int.MaxValue);
            changed[site] = mine;
        }

        return new SitedChoices(changed, _chance.NextBits());
    }

    private void Keep(SimRun run)
    {
        foreach (var (situation, _) in run.Result.Situations) _met[situation] = _met.GetValueOrDefault(situation) + 1;
        if (!run.Result.Held || run.Result.Choices.Count == 0 || run.Result.Situations.Count == 0) return;
        var kept = new Kept(run);
        if (_kept.Count < MostKept)
        {
            _kept.Add(kept);
            return;
        }

        var least = _kept.MinBy(WorthOf)!;
        if (WorthOf(least) < WorthOf(kept)) _kept[_kept.IndexOf(least)] = kept;
    }

    /// <summary>The best of a few.</summary>
    private Kept Pick()
    {
        var best = _kept[_chance.Next(_kept.Count)];
        for (var i = 1; i < Candidates; i++)
        {
            var other = _kept[_chance.Next(_kept.Count)];
            if (WorthOf(other) > WorthOf(best)) best = other;
        }

        return best;
    }

    /// <summary>What few runs met counts most; what was often gone on from, less.</summary>
    private double WorthOf(Kept kept)
    {
        var rarity = 0.0;
        foreach (var (situation, _) in kept.Situations) rarity += 1.0 / _met[situation];
        return rarity / (1 + (Weariness * kept.Tried));
    }

    private sealed class Kept(SimRun run)
    {
        private Dictionary<DrawSite, IReadOnlyList<int>>? _bySite;
        private IReadOnlyList<DrawSite>? _sites;

        internal Scenario Scenario { get; } = run.Scenario;

        internal IReadOnlyList<int> Choices { get; } = run.Result.Choices;

        internal IReadOnlyList<(ulong Situation, int Draw)> Situations { get; } = run.Result.Situations;

        internal int Tried { get; set; }

        internal IReadOnlyList<DrawSite> Sites => _sites ??= [.. BySite().Keys];

        internal Dictionary<DrawSite, IReadOnlyList<int>> BySite()
        {
            if (_bySite is not null) return _bySite;
            var lists = new Dictionary<DrawSite, List<int>>();
            for (var i = 0; i < Choices.Count; i++)
            {
                if (!lists.TryGetValue(run.Result.Sites[i], out var list)) lists.Add(run.Result.Sites[i], list = []);
                list.Add(Choices[i]);
            }

            return _bySite = lists.ToDictionary(static pair => pair.Key, static pair => (IReadOnlyList<int>)pair.Value);
        }
    }
}
