using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Tests;

/// <summary>Rules, help pages, the table of the README, help links and release files say the same; and what the pages show is so.</summary>
public sealed class HelpTests
{
    private static readonly string Folder = Path.Combine(PackageTests.Root(), "analyzers");

    public static TheoryData<string> Ids => [.. Rules.All.Select(rule => rule.Id)];

    [Fact]
    public void There_is_a_page_for_every_rule_and_a_rule_for_every_page() => Assert.Equal(
        Rules.All.Select(rule => rule.Id), Directory.GetFiles(Path.Combine(Folder, "docs"), "*.md").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Ids))]
    public void Page_link_table_release_file_and_fixes_agree_with_the_rule(string id)
    {
        var rule = Rules.All.Single(it => it.Id == id);
        var title = rule.Descriptor.Title.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var page = Page(id);
        Assert.StartsWith($"# {id}: {title}\n", page, StringComparison.Ordinal);
        Assert.Equal($"analyzers/docs/{id}.md", rule.Descriptor.HelpLinkUri);
        Assert.Equal(DiagnosticSeverity.Error, rule.Descriptor.DefaultSeverity);

        var said = Regex.Match(page, @"^Roles: (?<roles>.+)\. Fix: (?<fix>.+)\.$", RegexOptions.Multiline | RegexOptions.CultureInvariant);
        Assert.Equal(RolesOf(rule), said.Groups["roles"].Value);
        Assert.Equal(new CodeFixes.OrkCodeFixProvider().FixableDiagnosticIds.Contains(id), said.Groups["fix"].Value != "none");
        var fix = said.Groups["fix"].Value == "none" ? "" : said.Groups["fix"].Value;
        Assert.Contains($"| [{id}](docs/{id}.md) | {title} | {said.Groups["roles"].Value} | {fix} |", File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal);

        var releases = File.ReadAllText(Path.Combine(Folder, "Ork.Analyzers", "AnalyzerReleases.Shipped.md")) + File.ReadAllText(Path.Combine(Folder, "Ork.Analyzers", "AnalyzerReleases.Unshipped.md"));
        Assert.Single(Regex.Matches(releases, $"^{id} \\| {Regex.Escape(rule.Descriptor.Category)} \\| Error \\| {Regex.Escape(title)}$", RegexOptions.Multiline | RegexOptions.CultureInvariant));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task What_a_page_calls_bad_is_reported_and_what_it_calls_good_is_not(string id)
    {
        Assert.True(await FindsAsync(id, "Bad") > 0, $"{id}: what the page calls bad is not reported.");
        Assert.Equal(0, await FindsAsync(id, "Good"));
    }

    [Fact]
    public void Every_analyzer_declares_rules_that_there_are() => Assert.All(
        Harness.Analyzers, analyzer => Assert.All(analyzer.SupportedDiagnostics, descriptor => Assert.Contains(Rules.All, rule => rule.Descriptor == descriptor)));

    [Fact]
    public void Every_rule_has_an_analyzer() => Assert.All(
        Rules.All, rule => Assert.Contains(Harness.Analyzers, analyzer => analyzer.SupportedDiagnostics.Contains(rule.Descriptor)));

    private static async Task<int> FindsAsync(string id, string heading)
    {
        var code = Regex.Match(Page(id), $"## {heading}\n\n```csharp\n(.*?)```", RegexOptions.Singleline | RegexOptions.CultureInvariant).Groups[1].Value;
        var role = RolesOf(Rules.All.Single(rule => rule.Id == id)).Split(',')[0] is var first && first == "all" ? "Kernel" : first;
        var compilation = Harness.Compile([("Page.cs", code)], role);
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken).Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString()));
        return (await Harness.FindAsync(compilation)).Count(found => found.Id == id);
    }

    private static string RolesOf(Rule rule) => rule.Roles == Roles.All ? "all"
        : string.Join(", ", new[] { Roles.Kernel, Roles.Worker, Roles.Caller, Roles.Simulation }.Where(role => (rule.Roles & role) != 0));

    private static string Page(string id) => File.ReadAllText(Path.Combine(Folder, "docs", id + ".md"));
}
