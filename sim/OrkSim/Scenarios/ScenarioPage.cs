using System.Text;

namespace OrkSim;

/// <summary>The page of keys in <c>scenarios/README.md</c>, made from the table that the reader goes by.</summary>
public static class ScenarioPage
{
    /// <summary>The heading it begins with.</summary>
    public const string First = "## Every key\n";

    /// <summary>Writes it, to the end of the page.</summary>
    public static string Write()
    {
        var usual = new Scenario { Name = "" };
        var page = new StringBuilder(First);
        Section(page, "", "At the top", "", usual);
        foreach (var (section, says) in ScenarioKeys.Sections) Section(page, section, $"`{section}`", says, usual);
        page.Append("\n### Lists at the top\n\n| key | what it holds |\n| --- | --- |\n");
        foreach (var (list, says) in ScenarioKeys.Lists) page.Append("| `").Append(list).Append("` | ").Append(says).Append(" |\n");
        page.Append("\n## Every fault\n\nEach takes `perMinute` (how often a minute, on average, until healed) or `times` (how often in all) with `at` (when: a duration, a range or `any`), and besides:\n\n| fault | what it does | its own keys |\n| --- | --- | --- |\n");
        foreach (var fault in FaultCatalogue.All())
        {
            var plain = new FaultSpec { Kind = fault.Name };
            var own = FaultScenarioKeys.Of(fault).Skip(3).Select(key => $"`{key.Name}: {key.Write(plain)}` {key.Says}");
            page.Append("| `").Append(fault.Name).Append("` | ").Append(fault.Says).Append(" | ").AppendJoin("<br>", own).Append(" |\n");
        }

        return page.ToString();
    }

    private static void Section(StringBuilder page, string section, string title, string says, Scenario usual)
    {
        page.Append("\n### ").Append(title).Append('\n');
        if (says.Length > 0) page.Append('\n').Append(says).Append('\n');
        if (!ScenarioKeys.All.Any(key => key.Section == section)) return;
        page.Append("\n| key | what it means | takes | usually |\n| --- | --- | --- | --- |\n");
        foreach (var key in ScenarioKeys.All.Where(key => key.Section == section))
        {
            page.Append("| `").Append(key.Name).Append("` | ").Append(key.Says).Append(" | ").Append(key.Takes).Append(" | ").Append(key.Write(usual) is { Length: > 0 } value ? $"`{value}`" : "").Append(" |\n");
        }
    }
}
