using OrkSim;

namespace Ork.Defects.Tests;

/// <summary>Mutants are drawn alike from the same source, are patches that apply, and change one thing each.</summary>
public sealed class MutantTests
{
    private static readonly SourceTree Source = new();

    [Fact]
    public void The_same_seed_draws_the_same_and_another_others()
    {
        var names = Names(seed: 7);
        Assert.Equal(30, names.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(names, Names(seed: 7));
        Assert.NotEqual(names, Names(seed: 8));
        Assert.Equal(names[..10], Mutants.Draw(Source.Root, ["src/Ork.Kernel/Modules"], 10, 7).Select(static mutant => mutant.Name));
        Assert.Throws<DefectException>(() => Mutants.Draw(Source.Root, ["src/none"], 1, 1));
    }

    [Fact]
    public void Each_is_a_patch_of_one_place_that_applies_and_may_be_read_again()
    {
        var folder = Directory.CreateTempSubdirectory("ork-mutants").FullName;
        try
        {
            foreach (var mutant in Mutants.Draw(Source.Root, ["src/Ork.Worker", "src/Ork.Client"], 200, 3))
            {
                var (file, text) = Assert.Single(mutant.Patch.Apply(Source.Root));
                Assert.NotEqual(File.ReadAllText(file), text);
                var path = Path.Combine(folder, mutant.Name + ".patch");
                File.WriteAllText(path, mutant.Text);
                var again = Defect.Read(path);
                Assert.Equal((mutant.Bug, mutant.Text), (again.Bug, again.Text));
                Assert.Empty(again.Invariants);
                Assert.Equal([Gear.Swarm], again.Gears);
                Assert.Equal(text, again.Patch.Apply(Source.Root)[file]);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("void M() { F(); }", "void M() { ; }")]
    [InlineData("void M() { ArgumentNullException.ThrowIfNull(a); }")]
    [InlineData("int M() { if (a) return 1; return 2; }", "int M() { if (!(a)) return 1; return 2; }", "int M() { ; return 2; }")]
    [InlineData("bool M() => a && b;", "bool M() => (a);", "bool M() => (b);")]
    [InlineData("bool M() => a < 1;", "bool M() => a <= 1;")]
    [InlineData("int M() => a + b;", "int M() => a - b;")]
    [InlineData("int M() => Math.Min(a, b);", "int M() => Math.Max(a, b);")]
    [InlineData("string M() => a ?? b;", "string M() => (b);")]
    [InlineData("int M() => true ? a : b;", "int M() => !(true) ? a : b;", "int M() => false ? a : b;")]
    [InlineData("void M() { for (var i = 0; i < 3; i++) { } }", "void M() { for (var i = 0; i <= 3; i++) { } }")]
    public void What_a_line_has_room_for(string line, params string[] expected)
    {
        var text = $"class C {{ {line} }}";
        Assert.Equal(expected, Mutants.ChangesOf(text).Select(change => text[..change.Span.Start] + change.By + text[change.Span.End..]).Select(static made => made["class C { ".Length..^2]));
    }

    private static string[] Names(long seed) => [.. Mutants.Draw(Source.Root, ["src/Ork.Kernel/Modules"], 30, seed).Select(static mutant => mutant.Name)];
}
