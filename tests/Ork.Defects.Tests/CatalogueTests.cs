using OrkSim;

namespace Ork.Defects.Tests;

/// <summary>The catalogue of known bugs is whole, applies to the source as it is, and a sample of it, another one each day, is found.</summary>
public sealed class CatalogueTests
{
    private const int SampleSize = 4;
    private static readonly SourceTree Source = new();
    private static readonly IReadOnlyList<Defect> Catalogue = Defect.ReadAll(Path.Combine(Source.Root, "tests", "Ork.Defects", "defects"));

    public static TheoryData<string> Sample
    {
        get
        {
            var day = (int)(DateTime.UtcNow - DateTime.UnixEpoch).TotalDays;
            return [.. Enumerable.Range(0, SampleSize).Select(number => Catalogue[((day * SampleSize) + number) % Catalogue.Count].Name)];
        }
    }

    [Fact]
    public void There_are_at_least_forty_defects_and_every_part_of_the_product_has_some()
    {
        Assert.True(Catalogue.Count >= 40, $"{Catalogue.Count} defects.");
        string[] parts = ["src/Ork.Kernel/Modules/FaultSupervisor", "src/Ork.Kernel/Modules/ConcurrencyManager", "src/Ork.Worker", "src/Ork.Client", "src/Ork.Storage.Sqlite"];
        foreach (var part in parts) Assert.Contains(Catalogue, defect => defect.Patch.Files.Keys.Any(file => file.StartsWith(part, StringComparison.Ordinal)));
        Assert.True(Catalogue.Count(defect => defect.Patch.Files.Keys.Any(file => parts.Any(part => file.StartsWith(part, StringComparison.Ordinal)))) >= 10);
    }

    [Fact]
    public void Every_patch_applies_and_names_invariants_and_gears_that_there_are()
    {
        var invariants = InvariantCatalogue.All().Select(static invariant => invariant.Id).Concat(["S22", "S23", "CRASH", "STUCK"]).ToHashSet(StringComparer.Ordinal);
        foreach (var defect in Catalogue)
        {
            foreach (var (file, text) in defect.Patch.Apply(Source.Root)) Assert.NotEqual(File.ReadAllText(file), text);
            Assert.NotEmpty(defect.Gears);
            Assert.NotEmpty(defect.Invariants);
            Assert.All(defect.Invariants, invariant => Assert.Contains(invariant, invariants));
            if (defect.Deep is { } scenario) Assert.NotNull(ScenarioCatalogue.Find(scenario));
        }
    }

    [Fact]
    public void A_patch_whose_lines_are_gone_or_not_alone_is_refused_with_the_reason()
    {
        const string file = "src/Ork.Kernel/KernelCore.cs";
        var gone = SourcePatch.Read("x", $"--- a/{file}\n+++ b/{file}\n@@ -1,1 +1,1 @@\n-no such line\n+another\n");
        Assert.Contains("does not have the lines any more", Assert.Throws<DefectException>(() => gone.Apply(Source.Root)).Message, StringComparison.Ordinal);
        var twice = SourcePatch.Read("x", $"--- a/{file}\n+++ b/{file}\n@@ -1,1 +1,1 @@\n-    {{\n+    {{ //\n");
        Assert.Contains("times", Assert.Throws<DefectException>(() => twice.Apply(Source.Root)).Message, StringComparison.Ordinal);
        Assert.Contains("does not exist", Assert.Throws<DefectException>(() => SourcePatch.Read("x", "--- a/no.cs\n+++ b/no.cs\n@@ -1,1 +1,1 @@\n-a\n+b\n").Apply(Source.Root)).Message, StringComparison.Ordinal);
        Assert.Throws<DefectException>(() => SourcePatch.Read("x", "nothing"));
    }

    [Theory]
    [MemberData(nameof(Sample))]
    public async Task Todays_sample_is_found(string name)
    {
        var folder = Directory.CreateTempSubdirectory("ork-defects").FullName;
        try
        {
            var defect = Catalogue.Single(one => one.Name == name);
            var caught = await new HuntingGround(Path.Combine(folder, "ground")).HuntAsync(Source.Compile(defect.Patch), defect.Gears[0], TimeSpan.FromSeconds(120), 1, [], CancellationToken.None);
            Assert.True(caught.Invariant is { } invariant && defect.Invariants.Contains(invariant), $"{defect.Name} ({defect.Bug}) was to be caught by {string.Join(", ", defect.Invariants)}: {caught}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
