using System.Diagnostics;

namespace Ork.Process.Tests;

/// <summary>A Worker author's first minutes: the project that <c>ork worker new</c> writes, its test, and what the analyzers say of a mistake.</summary>
public sealed class WorkerProjectTests
{
    [Fact]
    public async Task The_project_that_is_written_holds_in_simulated_worlds_and_keeps_the_rules()
    {
        var place = Directory.CreateTempSubdirectory("ork-author");
        try
        {
            var written = await RunAsync(place.FullName, Path.Combine(AppContext.BaseDirectory, "ork.dll"), "worker", "new", "acme-pumps", "--json");
            Assert.True(written.ExitCode == 0, written.Output);
            var project = Path.Combine(place.FullName, "AcmePumps");

            var tested = await RunAsync(project, "test");
            Assert.True(tested.ExitCode == 0, tested.Output);
            Assert.Contains("succeeded: 1", tested.Output, StringComparison.Ordinal);

            var driver = Path.Combine(project, "AcmePumps", "Driver.cs");
            File.WriteAllText(driver, File.ReadAllText(driver).Replace("time, cancellation);", "cancellation);", StringComparison.Ordinal));
            var mistaken = await RunAsync(project, "build", "-nologo");
            Assert.NotEqual(0, mistaken.ExitCode);
            Assert.Contains("error ORK0003", mistaken.Output, StringComparison.Ordinal);
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("7pumps", "must begin with a letter")]
    [InlineData("taken", "is there already")]
    public async Task What_cannot_be_made_is_refused(string name, string why)
    {
        var place = Directory.CreateTempSubdirectory("ork-author");
        try
        {
            Directory.CreateDirectory(Path.Combine(place.FullName, "Taken", "something"));
            var refused = await RunAsync(place.FullName, Path.Combine(AppContext.BaseDirectory, "ork.dll"), "worker", "new", name);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(why, refused.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };

        // The runner's own settings are not the author's; and servers that stay would hold the folder.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith("TESTINGPLATFORM", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
