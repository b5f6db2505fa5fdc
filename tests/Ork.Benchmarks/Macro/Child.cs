using System.Diagnostics;
using System.Text.Json;

namespace Ork.Benchmarks;

/// <summary>
/// A process of this program in one of its roles. It is asked in lines on its standard input and answers in lines on its standard output; it ends with its parent.
/// </summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;
    private bool _disposed;

    private Child(Process process) => _process = process;

    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);

    /// <summary>Starts a role, and waits until it is ready.</summary>
    internal static Child Start<TSetup>(string role, TSetup setup, out string[] ready, params IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(Child).Assembly.Location);
        start.ArgumentList.Add("role");
        start.ArgumentList.Add(role);
        start.ArgumentList.Add(JsonSerializer.Serialize(setup, Json));
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var child = new Child(Process.Start(start)!);
        ready = child.Read<string[]>();
        return child;
    }

    /// <summary>Asks something.</summary>
    internal TAnswer Ask<TAnswer>(string question)
    {
        _process.StandardInput.WriteLine(question);
        _process.StandardInput.Flush();
        return Read<TAnswer>();
    }

    /// <summary>Ends it at once, as a power cut would.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The child's side: says that it is ready, and answers until its parent is gone.</summary>
    internal static void Serve(string[] ready, Func<string, object> answer)
    {
        Write(ready);
        while (Console.ReadLine() is { } question) Write(answer(question));
    }

    private static void Write(object answer)
    {
        Console.WriteLine(JsonSerializer.Serialize(answer, Json));
        Console.Out.Flush();
    }

    private TAnswer Read<TAnswer>() => JsonSerializer.Deserialize<TAnswer>(
        _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("A process of the benchmark ended."), Json)!;
}
