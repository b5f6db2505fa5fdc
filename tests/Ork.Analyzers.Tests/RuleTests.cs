using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Ork.Analyzers.Tests;

/// <summary>Each rule on code that it must report and on look-alikes that it must not.</summary>
public sealed class RuleTests
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var one in AllCases()) data.Add(one.Rule, one.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_rule_reports_what_it_forbids_and_nothing_else(string rule, string name)
    {
        var one = AllCases().Single(it => it.Rule == rule && it.Name == name);
        var compilation = Harness.Compile(one.Files, one.Role, HasTopLevelStatements(one) ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary);
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken).Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString()));

        var found = (await Harness.FindAsync(compilation)).Where(it => it.Id == rule).ToArray();

        Assert.True(found.Length == one.Reports, $"{one}: expected {one.Reports}, found {found.Length}:\n{string.Join('\n', found.Select(it => it.ToString()))}");
    }

    [Fact]
    public void Every_rule_has_at_least_ten_cases_that_must_report_and_ten_that_must_not()
    {
        var short_ = Rules.All
            .Select(rule => (rule.Id, Reports: AllCases().Count(it => it.Rule == rule.Id && it.Reports > 0), Silent: AllCases().Count(it => it.Rule == rule.Id && it.Reports == 0)))
            .Where(it => it.Reports < 10 || it.Silent < 10);
        Assert.Empty(short_);
    }

    private static bool HasTopLevelStatements(Case one) =>
        one.Files.Any(file => CSharpSyntaxTree.ParseText(file.Text, Harness.ParseOptions).GetCompilationUnitRoot().Members.OfType<GlobalStatementSyntax>().Any());

    private static IReadOnlyList<Case> AllCases() => Known.Value;

    private static readonly Lazy<IReadOnlyList<Case>> Known = new(() =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Cases"), "ORK*.cs").Order(StringComparer.Ordinal).SelectMany(Case.Read)]);
}
