namespace OrkSim;

/// <summary>The keys that a scenario file may give a fault.</summary>
internal static class FaultScenarioKeys
{
    private const string PerMinute = "perMinute";
    private const string Times = "times";

    /// <summary>One of these says how often a fault strikes; a 0 is an answer too, that of a fault drawn away or switched off.</summary>
    internal static IReadOnlyList<string> HowOften { get; } = [PerMinute, Times];

    private static readonly IScenarioKey<FaultSpec>[] Always =
    [
        Key(PerMinute, "How often a minute, on average, until healed.", Forms.Real(0, 600, 0), f => f.PerMinute, (f, v) => f with { PerMinute = v }),
        Key(Times, "How often in all.", Forms.Whole(0, 1_000, 0), f => f.Times, (f, v) => f with { Times = v }),
        Key("at", "When, where times is given.", Forms.Times("5s..20s", "any", FaultSpec.AnyTime), f => f.At, (f, v) => f with { At = v }),
    ];

    /// <summary>Those of a fault.</summary>
    internal static IReadOnlyList<IScenarioKey<FaultSpec>> Of(IFault fault)
    {
        var keys = new List<IScenarioKey<FaultSpec>>(Always);
        if (fault.Keys.For is { } lasting) keys.Add(Key(lasting.Name, lasting.Says, Forms.Times("500ms..8s"), f => f.For, (f, v) => f with { For = v }));
        if (fault.Keys.Fraction is { } fraction) keys.Add(Key(fraction.Name, fraction.Says, Forms.Real(0, 1, 1), f => f.Fraction, (f, v) => f with { Fraction = v }));
        if (fault.Keys.Nasty is { } nasty) keys.Add(Key(nasty.Name, nasty.Says, Forms.Real(0, 1, 0), f => f.Nasty, (f, v) => f with { Nasty = v }));
        return keys;
    }

    /// <summary>What a fault's keys say, as they are written; how often it strikes is always said.</summary>
    internal static IEnumerable<(string Name, string Value)> Write(IFault fault, FaultSpec spec)
    {
        var usual = new FaultSpec { Kind = spec.Kind };
        var never = spec.Times.Max == 0 && spec.PerMinute.Max <= 0;
        foreach (var key in Of(fault))
        {
            if (!key.IsSame(spec, usual) || (never && key.Name == Times)) yield return (key.Name, key.Write(spec));
        }
    }

    private static ScenarioKey<FaultSpec, T> Key<T>(string name, string says, Form<T> form, Func<FaultSpec, T> get, Func<FaultSpec, T, FaultSpec> set) => new("faults", name, says, form, get, set);
}
