using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Ork.Analyzers.Effects;

namespace Ork.Analyzers.Tests;

/// <summary>Code that does not compile crashes no analyzer: real files with tokens taken out, and files alone without what they refer to.</summary>
public sealed class BrokenCodeTests
{
    [Theory]
    [InlineData("src/Ork.Kernel", 5)]
    [InlineData("src/Ork.Worker", 5)]
    [InlineData("src/Ork.Client", 5)]
    public async Task A_project_with_tokens_taken_out_crashes_nothing(string project, int variants)
    {
        var random = new Random(7);
        var files = ProductSource.Files(project);
        for (var i = 0; i < variants; i++)
        {
            var broken = files.Select(file => new KeyValuePair<string, string>(file.Key, random.Next(4) == 0 ? WithoutTokens(file.Value, random, 1 + random.Next(4)) : file.Value));
            await Run(ProductSource.Compile(project, broken));
        }
    }

    [Fact]
    public async Task A_file_alone_with_tokens_taken_out_crashes_nothing()
    {
        var random = new Random(11);
        var files = new[] { "src/Ork.Kernel", "src/Ork.Worker", "src/Ork.Client", "src/Ork.Transport" }.SelectMany(ProductSource.Files).ToArray();
        for (var i = 0; i < 120; i++)
        {
            var file = files[random.Next(files.Length)];
            await Run(ProductSource.Compile("src/Ork.Kernel", [new(file.Key, WithoutTokens(file.Value, random, random.Next(12)))]));
        }
    }

    [Fact]
    public async Task A_case_with_tokens_taken_out_crashes_nothing()
    {
        var random = new Random(13);
        foreach (var path in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Cases"), "ORK*.cs").Order(StringComparer.Ordinal))
        {
            var cases = Case.Read(path).ToArray();
            for (var i = 0; i < 4; i++)
            {
                var one = cases[random.Next(cases.Length)];
                await Run(Harness.Compile(one.Files.Select(file => (file.Path, WithoutTokens(file.Text, random, 1 + random.Next(3)))), one.Role));
            }
        }
    }

    private static async Task Run(CSharpCompilation compilation)
    {
        await Harness.FindAsync(compilation);
        var driver = CSharpGeneratorDriver.Create([new EffectFactsGenerator().AsSourceGenerator()], parseOptions: Harness.ParseOptions).RunGenerators(compilation);
        Assert.All(driver.GetRunResult().Results, result => Assert.Null(result.Exception));
    }

    private static string WithoutTokens(string text, Random random, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var tokens = CSharpSyntaxTree.ParseText(text, Harness.ParseOptions).GetRoot().DescendantTokens().Where(token => token.Span.Length > 0).ToArray();
            if (tokens.Length == 0) return text;
            var span = tokens[random.Next(tokens.Length)].Span;
            text = text.Remove(span.Start, span.Length);
        }

        return text;
    }
}
