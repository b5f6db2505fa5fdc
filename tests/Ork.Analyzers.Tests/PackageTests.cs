using System.Diagnostics;
using System.Globalization;

namespace Ork.Analyzers.Tests;

/// <summary>The package as a Worker's author uses it: packed, restored from a folder, in a project of their own.</summary>
public sealed class PackageTests
{
    [Fact]
    public async Task The_package_works_in_a_project_outside_of_the_repository()
    {
        var place = Directory.CreateTempSubdirectory("ork-package");
        try
        {
            // A version of its own, so that what an earlier run left in the machine's cache is not what is tested.
            var version = $"0.1.0-test.{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)}";
            var feed = Path.Combine(place.FullName, "feed");
            foreach (var project in new[] { "analyzers/Ork.Analyzers.Package", "src/Ork.Protocol" })
            {
                var packed = await DotnetAsync(Root(), "pack", project, "-c", "Release", "--artifacts-path", Path.Combine(place.FullName, "artifacts"), "-o", feed, $"-p:Version={version}");
                Assert.True(packed.ExitCode == 0, packed.Output);
            }

            var author = Directory.CreateDirectory(Path.Combine(place.FullName, "author")).FullName;
            Write(author, "nuget.config", $"<configuration><packageSources><clear /><add key=\"feed\" value=\"{feed}\" /></packageSources></configuration>");
            Write(author, "Author.csproj", $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
                  <ItemGroup>
                    <PackageReference Include="Ork.Analyzers" Version="{version}" PrivateAssets="all" />
                    <PackageReference Include="Ork.Protocol" Version="{version}" />
                  </ItemGroup>
                </Project>
                """);
            Write(author, "Worker.cs", """
                [assembly: Ork.OrkRole(Ork.OrkRole.Worker)]
                public class Pump
                {
                    public long Now() => DateTime.UtcNow.Ticks;
                    public async void Go() => await Task.Yield();
                    public System.Threading.Tasks.ValueTask<Ork.Protocol.IConnection> Dial(Ork.Protocol.INetwork network, Ork.Protocol.LinkEndpoint to) => network.ConnectAsync(to, null, default);
                }
                """);
            var built = await DotnetAsync(author, "build", "-nologo");

            Assert.NotEqual(0, built.ExitCode);
            foreach (var id in new[] { "error ORK0001", "error ORK0010", "error ORK0101" }) Assert.Contains(id, built.Output, StringComparison.Ordinal);

            Write(author, "Worker.cs", """
                [assembly: Ork.OrkRole(Ork.OrkRole.Worker)]
                public class Pump(TimeProvider time)
                {
                    public long Now() => time.GetUtcNow().Ticks;
                }
                """);
            built = await DotnetAsync(author, "build", "-nologo");
            Assert.True(built.ExitCode == 0, built.Output);
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }

    internal static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException("The tests do not stand in the repository.");
    }

    private static void Write(string folder, string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    private static async Task<(int ExitCode, string Output)> DotnetAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };

        // The runner's own settings are not the author's; and servers that stay would hold the folder.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray()) start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
