using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Spectre.Console;

namespace Ork.Cli.Authoring;

/// <summary>A project that cannot be made, with the reason.</summary>
internal sealed class AuthoringException(string message) : Exception(message);

/// <summary><c>ork worker new</c>: a Worker author's project, with the runtime, the analyzers and a test that runs the Worker against the kernel in simulated worlds.</summary>
internal static class WorkerProject
{
    private const string Prefix = "template/";

    // What a Worker and its simulation need, in the order in which they are packed.
    private static readonly string[] Packed =
        ["src/Ork.Protocol", "src/Ork.Transport", "src/Ork.Worker", "src/Ork.Client", "src/Ork.Kernel", "src/Ork.Storage.Sqlite", "sim/OrkSim", "analyzers/Ork.Analyzers.Package"];

    /// <summary>Makes the project.</summary>
    /// <param name="output">Where it is told.</param>
    /// <param name="given">Its name.</param>
    /// <param name="parent">The folder it is made in.</param>
    /// <param name="packages">A folder with the packages, or null to pack them from the checkout this program stands in.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AuthoringException">It cannot be made.</exception>
    internal static async Task<int> NewAsync(Output output, string given, string parent, string? packages, CancellationToken cancellation)
    {
        var name = NameOf(given);
        var folder = Path.GetFullPath(Path.Combine(parent, name));
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new AuthoringException($"{folder} is there already: choose another name, or remove it first.");
        var (feed, version) = packages is null ? ("packages", await PackAsync(output, Path.Combine(folder, "packages"), cancellation)) : Given(packages);
        Write(folder, name, feed, version);
        output.Write(new { folder, name, version }, console =>
        {
            console.WriteLine($"{folder} is written. Next:");
            console.WriteLine($"  cd {folder}");
            console.WriteLine($"  dotnet test                       # the Worker against the kernel, in simulated worlds");
            console.WriteLine($"  dotnet run --project {name}       # the Worker against a real one: ork kernel run");
        });
        return ExitCode.Done;
    }

    /// <summary>The name as a namespace: <c>acme-pumps</c> becomes <c>AcmePumps</c>.</summary>
    private static string NameOf(string given)
    {
        var name = string.Concat(given.Split([.. given.Where(c => !char.IsAsciiLetterOrDigit(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
        return name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : throw new AuthoringException($"'{given}' is no name for a project: it must begin with a letter.");
    }

    /// <summary>The name as ids and files have it: <c>acme-pumps</c>.</summary>
    private static string IdOf(string name)
    {
        var id = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsAsciiLetterUpper(name[i]) && !char.IsAsciiLetterUpper(name[i - 1])) id.Append('-');
            id.Append(char.ToLowerInvariant(name[i]));
        }

        return id.ToString();
    }

    private static (string Feed, string Version) Given(string packages)
    {
        var folder = Path.GetFullPath(packages);
        const string runtime = "Ork.Worker.";
        var newest = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, runtime + "*.nupkg").OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault() : null;
        return newest is null ? throw new AuthoringException($"{folder} holds no package Ork.Worker.")
            : (folder, Path.GetFileNameWithoutExtension(newest)[runtime.Length..]);
    }

    private static void Write(string folder, string name, string feed, string version)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(resource => resource.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var path = Path.Combine(folder, Fill(resource[Prefix.Length..]));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, Fill(reader.ReadToEnd()));
        }

        string Fill(string text) => text.Replace("__NAME__", name, StringComparison.Ordinal).Replace("__ID__", IdOf(name), StringComparison.Ordinal)
            .Replace("__PACKAGES__", feed, StringComparison.Ordinal).Replace("__VERSION__", version, StringComparison.Ordinal);
    }

    /// <summary>Packs the runtime, the simulator and the analyzers, under a version of their own: no cache holds an older one of it.</summary>
    private static async Task<string> PackAsync(Output output, string feed, CancellationToken cancellation)
    {
        var root = Checkout() ?? throw new AuthoringException("This program does not stand in a checkout of OrkSim: name a folder with its packages by --packages.");
        var now = TimeProvider.System.GetUtcNow().ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        var version = $"{Assembly.GetExecutingAssembly().GetName().Version!.ToString(3)}-local.{now}";
        var artifacts = Directory.CreateTempSubdirectory("ork-pack").FullName;
        try
        {
            Directory.CreateDirectory(feed);
            if (output.IsJson || Console.IsOutputRedirected)
            {
                foreach (var project in Packed) await PackAsync(root, project, artifacts, feed, version, cancellation);
                return version;
            }

            await AnsiConsole.Progress().StartAsync(async progress =>
            {
                var task = progress.AddTask("Packing the runtime, the simulator and the analyzers", maxValue: Packed.Length);
                foreach (var project in Packed)
                {
                    await PackAsync(root, project, artifacts, feed, version, cancellation);
                    task.Increment(1);
                }
            });
            return version;
        }
        finally
        {
            Directory.Delete(artifacts, recursive: true);
        }
    }

    private static async Task PackAsync(string root, string project, string artifacts, string feed, string version, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet", ["pack", project, "-c", "Release", "--artifacts-path", artifacts, "-o", feed, $"-p:Version={version}", "-nologo", "-v:q"])
        {
            WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start) ?? throw new AuthoringException("dotnet did not start.");
        var said = process.StandardOutput.ReadToEndAsync(cancellation);
        var failed = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0) throw new AuthoringException($"{project} was not packed:{Environment.NewLine}{await said}{await failed}");
    }

    private static string? Checkout()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) return at.FullName;
        }

        return null;
    }
}
