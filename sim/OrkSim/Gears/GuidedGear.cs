namespace OrkSim;

/// <summary>
/// Exploration that learns from what it met. A run that met a situation no run of the scenario had met is kept. Later runs go its way up to shortly before or after
/// such a moment and from there another one, or go its whole way but for some decisions of one node. Runs of seeds that nobody has tried go on being made in between:
/// what is kept must not become all there is.
/// </summary>
public sealed class GuidedGear
{
    private const int MostKept = 256;
    private const int FreshPercent = 40;
    private const int SuffixPercent = 60;
    private const ulong Salt = 0x5DEECE66D1CE4E5BUL;

    private readonly Scenario _scenario;
    private readonly WatchOptions _watch;
    private readonly SeededChoices _chance;
    private readonly HashSet<ulong> _met = [];
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
        var (concrete, choices) = _kept.Count == 0 || _chance.Next(100) < FreshPercent ? Fresh() : Mutant(Pick());
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
        return (kept.Scenario, _chance.Next(100) < SuffixPercent ? AnotherEnd(kept) : AnotherNode(kept));
    }

    /// <summary>The same way up to about where something new was met, and from there another one.</summary>
    private IChoices AnotherEnd(Kept kept)
    {
        var at = kept.News[_chance.Next(kept.News.Count)];

        // Mostly close to it, at times far before.
        var reach = 1 << _chance.Next(12);
        var keep = Math.Clamp(at + _chance.Next(reach) - (reach / 2), 0, kept.Choices.Count);
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
        var news = new List<int>();
        foreach (var (situation, draw) in run.Result.Situations)
        {
            if (_met.Add(situation)) news.Add(draw);
        }

        if (news.Count == 0 || !run.Result.Held || run.Result.Choices.Count == 0) return;
        if (_kept.Count == MostKept) _kept.Remove(_kept.MinBy(static kept => kept.Worth)!);
        _kept.Add(new Kept(run, news));
    }

    /// <summary>The better of two: what met much that was new, and was not often gone on from.</summary>
    private Kept Pick()
    {
        var (one, other) = (_kept[_chance.Next(_kept.Count)], _kept[_chance.Next(_kept.Count)]);
        return one.Worth >= other.Worth ? one : other;
    }

    private sealed class Kept(SimRun run, IReadOnlyList<int> news)
    {
        private Dictionary<DrawSite, IReadOnlyList<int>>? _bySite;
        private IReadOnlyList<DrawSite>? _sites;

        internal Scenario Scenario { get; } = run.Scenario;

        internal IReadOnlyList<int> Choices { get; } = run.Result.Choices;

        /// <summary>Before which decisions something new was met.</summary>
        internal IReadOnlyList<int> News { get; } = news;

        internal int Tried { get; set; }

        internal double Worth => (double)News.Count / (1 + Tried);

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
