using System.Diagnostics;
using Ork.Cli.Hosting;

namespace Ork.Cli.Demo;

/// <summary>A process of this same program, started, killed without warning and started again.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly string[] _arguments;
    private readonly string _logPath;
    private Process? _process;

    internal ChildProcess(string logPath, params string[] arguments)
    {
        _logPath = logPath;
        _arguments = arguments;
    }

    /// <summary>How many files it may have open, or null: as many as this process may.</summary>
    internal int? MaxOpenFiles { get; init; }

    /// <summary>False: nobody reads what it prints, and sooner or later the system takes no more of it.</summary>
    internal bool IsHeard { get; init; } = true;

    /// <summary>Variables of its environment, beside this process's own.</summary>
    internal IReadOnlyList<(string Name, string Value)> Variables { get; init; } = [];

    /// <summary>Starts it; what it prints is appended to its log.</summary>
    internal void Start()
    {
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment[ParentWatch.Variable] = "1";
        foreach (var (name, value) in Variables) start.Environment[name] = value;
        var entry = Environment.ProcessPath!;
        if (Path.GetFileNameWithoutExtension(entry) == "dotnet" || Path.GetFileNameWithoutExtension(entry) != "ork")
        {
            start.FileName = Path.GetFileNameWithoutExtension(entry) == "dotnet" ? entry : "dotnet";
            start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        }
        else
        {
            start.FileName = entry;
        }

        foreach (var argument in _arguments) start.ArgumentList.Add(argument);
        if (MaxOpenFiles is { } files) Limit(start, files);
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        if (!IsHeard) return;
        _ = AppendAsync(_process.StandardOutput);
        _ = AppendAsync(_process.StandardError);
    }

    /// <summary>A shell limits itself and becomes the process.</summary>
    private static void Limit(ProcessStartInfo start, int files)
    {
        string[] command = [start.FileName, .. start.ArgumentList];
        start.FileName = "/bin/sh";
        start.ArgumentList.Clear();
        foreach (var argument in (string[])["-c", $"ulimit -n {files}; exec \"$0\" \"$@\"", .. command]) start.ArgumentList.Add(argument);
    }

    /// <summary>Ends it at once, as a power cut would (SIGKILL).</summary>
    internal void Kill()
    {
        if (_process is null) return;
        _process.Kill();
#pragma warning disable ORK0006 // SIGKILL takes no time, and the demo must not go on before it took effect.
        _process.WaitForExit();
#pragma warning restore ORK0006
    }

    /// <summary>True once it has ended by itself or been killed.</summary>
    internal bool HasExited => _process?.HasExited ?? true;

    /// <summary>Memory it holds, in bytes.</summary>
    internal long WorkingSetBytes
    {
        get
        {
            _process!.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Asks it to end, by SIGTERM unless another signal is named, and waits for it; kills it when the time is over.</summary>
    internal async Task<int> StopAsync(TimeSpan patience, string signal = "TERM")
    {
        if (_process is null || _process.HasExited) return _process?.ExitCode ?? 0;
        using var kill = Process.Start("kill", [$"-{signal}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        return await EndAsync(patience);
    }

    /// <summary>Waits for it to end by itself; kills it when the time is over.</summary>
    /// <returns>Its exit code.</returns>
    internal async Task<int> EndAsync(TimeSpan patience)
    {
        using var timeout = new CancellationTokenSource(patience);
        try
        {
            await _process!.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
        }

        return _process!.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _process?.Dispose();
    }

    private async Task AppendAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                lock (_logPath) File.AppendAllText(_logPath, line + Environment.NewLine);
            }
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"{_logPath}: {e.Message}");
        }
    }
}
