using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Tests;

/// <summary>Code in which each line that must be told is told, by the right rule, and no other; and code of which nothing is told.</summary>
public sealed class CorpusTests
{
    [Fact]
    public async Task Every_line_of_the_firing_corpus_is_told_by_the_rules_it_names_and_by_no_other()
    {
        var lines = Read("Fire.cs").Split('\n');
        var expected = lines.SelectMany((line, i) => Regex.Matches(line, @"ORK\d{4}", RegexOptions.CultureInvariant).Where(id => line.IndexOf("//", StringComparison.Ordinal) < id.Index).Select(id => $"{i + 1}: {id.Value}")).Order(StringComparer.Ordinal);

        Assert.Equal(expected, (await FindAsync("Fire.cs", "Kernel")).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Clean.cs", "Kernel")]
    [InlineData("Clean.cs", "Caller")]
    [InlineData("Clean.cs", "Simulation")]
    [InlineData("Clean.cs", "Edge")]
    [InlineData("Clean.cs", "None")]
    [InlineData("ForeignDriver.cs", "Worker")]
    [InlineData("ForeignDriver.cs", "Edge")]
    [InlineData("ForeignModule.cs", "Kernel")]
    [InlineData("ForeignModule.cs", "Simulation")]
    [InlineData("ForeignGateway.cs", "Caller")]
    [InlineData("ForeignGateway.cs", "Edge")]
    public async Task Nothing_of_the_clean_corpus_is_told(string file, string role) => Assert.Empty(await FindAsync(file, role));

    private static async Task<IEnumerable<string>> FindAsync(string file, string role)
    {
        var compilation = Harness.Compile([(file, Read(file))], role);
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken).Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString()));
        return (await Harness.FindAsync(compilation)).Select(found => $"{found.Location.GetLineSpan().StartLinePosition.Line + 1}: {found.Id}");
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cases", "Corpus", file));
}
