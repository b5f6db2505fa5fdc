using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using OrkSim;

namespace Ork.Cli.Hosting;

/// <summary>
/// The runtime's settings for exploring. A kernel wants little memory and short pauses, for months; an exploration makes and drops whole worlds. The settings are
/// read when a process starts and are of no configuration file, so the process puts itself in its own place, once.
/// </summary>
internal static class BatchRuntime
{
    private const string Itself = "/proc/self/exe";
    private const string Entered = "ORK_BATCH_RUNTIME";

    /// <summary>Goes on in the same process with <see cref="ExplorationRuntime"/>'s settings. Where that cannot be, it goes on as it is: it is only slower.</summary>
    /// <param name="expected">How long it will explore.</param>
    internal static void Enter(TimeSpan expected)
    {
        if (Assembly.GetEntryAssembly() != typeof(BatchRuntime).Assembly || Environment.GetEnvironmentVariable(Entered) is not null) return;
        var arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0');
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(static entry => (string)entry.Key, static entry => (string?)entry.Value, StringComparer.Ordinal);
        variables[Entered] = "1";
        foreach (var (name, value) in ExplorationRuntime.Variables(Environment.ProcessorCount, expected)) variables.TryAdd(name, value);
        _ = Execute(Itself, [.. arguments, null], [.. variables.Select(static variable => $"{variable.Key}={variable.Value}"), null]);
    }

    [DllImport("libc", EntryPoint = "execve", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Execute(string path, string?[] arguments, string?[] environment);
}
