namespace OrkSim;

/// <summary>
/// The choices of a violating run, made plainer, each site's by themselves: spans are dropped, made plain (0) and put in order, from all of a site's down to single
/// ones, until a whole round finds nothing more. A run is smaller if fewer faults strike in it, or as many and there are fewer events, or as many and fewer choices are
/// not plain, or as many and there are fewer.
/// </summary>
internal sealed class ChoiceShrinker(Shrinker shrinker)
{
    private const int PlacesAtOnce = 2;

    internal void Run()
    {
        while (!shrinker.IsOver)
        {
            var before = shrinker.Best;

            // Coarse passes over all sites before fine ones over any: what goes early makes all later runs shorter.
            var longest = shrinker.ChoicesBySite().Values.Max(static choices => choices.Count);
            for (var span = longest; span >= 1 && !shrinker.IsOver; span /= 2)
            {
                foreach (var site in Sites()) Pass(site, span);
            }

            if (shrinker.Best == before) return;
        }
    }

    /// <summary>Faults first, then everybody's doings and timing, then the order of steps.</summary>
    private DrawSite[] Sites()
    {
        var faults = shrinker.Best.Scenario.Faults;
        var ofFaults = Enumerable.Range(0, faults.Count).Select(index => SimNode.SiteOf(SimWorld.FaultNode(faults, index))).ToHashSet();
        return [.. shrinker.ChoicesBySite().Keys.OrderBy(static site => site.Kind == DrawKind.Schedule).ThenBy(site => !ofFaults.Contains(site.Node)).ThenBy(static site => site.Node).ThenBy(static site => site.Kind)];
    }

    private void Pass(DrawSite site, int span)
    {
        for (var at = 0; !shrinker.IsOver;)
        {
            var all = shrinker.ChoicesBySite();
            if (!all.TryGetValue(site, out var mine) || at >= mine.Count || (span > 2 * mine.Count && span > 1)) return;

            // Spans of several places are tried side by side, as many for any number of jobs; what is taken is the first.
            var places = Enumerable.Range(0, PlacesAtOnce).Select(number => at + (number * span)).Where(place => place < mine.Count).ToArray();
            if (!TakeFirst(places.SelectMany(place => Variants(mine, place, span)).Select(variant => new Dictionary<DrawSite, IReadOnlyList<int>>(all) { [site] = variant }))) at += places.Length * span;
        }
    }

    private static IEnumerable<IReadOnlyList<int>> Variants(IReadOnlyList<int> all, int at, int span)
    {
        var end = Math.Min(at + span, all.Count);
        yield return [.. all.Take(at), .. all.Skip(end)];
        if (end < all.Count && Any(all, at, end)) yield return [.. all.Take(at), .. Enumerable.Repeat(0, end - at), .. all.Skip(end)];
        var next = Math.Min(end + span, all.Count);
        if (next - end == end - at && Compare(all, end, at, span) < 0) yield return [.. all.Take(at), .. all.Skip(end).Take(span), .. all.Skip(at).Take(span), .. all.Skip(next)];
    }

    private static bool Any(IReadOnlyList<int> all, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            if (all[i] != 0) return true;
        }

        return false;
    }

    private static int Compare(IReadOnlyList<int> all, int a, int b, int length)
    {
        for (var i = 0; i < length; i++)
        {
            if (all[a + i] != all[b + i]) return all[a + i].CompareTo(all[b + i]);
        }

        return 0;
    }

    /// <summary>Takes the first of several whose run is smaller.</summary>
    private bool TakeFirst(IEnumerable<IReadOnlyDictionary<DrawSite, IReadOnlyList<int>>> tries)
    {
        var (scenario, least) = (shrinker.Best.Scenario, Measure(shrinker.Best));
        foreach (var batch in tries.Chunk(shrinker.Jobs))
        {
            if (shrinker.IsOver) return false;
            var runs = shrinker.Make([.. batch.Select<IReadOnlyDictionary<DrawSite, IReadOnlyList<int>>, Func<SimRun?>>(choices => () => shrinker.TryChoices(scenario, choices))]);
            if (Array.Find(runs, run => run is not null && Measure(run).CompareTo(least) < 0) is not { } smaller) continue;
            shrinker.Take(smaller);
            return true;
        }

        return false;
    }

    private static (int Faults, long Events, int NotPlain, int Length, long Sum) Measure(SimRun run)
    {
        var (notPlain, sum) = (0, 0L);
        foreach (var choice in run.Result.Choices)
        {
            if (choice == 0) continue;
            notPlain++;
            sum += choice;
        }

        return (run.Result.Size.Faults, run.Result.Size.Events, notPlain, run.Result.Choices.Count, sum);
    }
}
