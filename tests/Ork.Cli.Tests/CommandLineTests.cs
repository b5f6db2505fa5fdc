using System.Diagnostics;
using Ork.Storage.Sqlite;

namespace Ork.Cli.Tests;

/// <summary>The program as a shell sees it: help, exit codes, output for machines.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-cli").FullName;

    public static TheoryData<string> Commands =>
    [
        "kernel", "kernel run", "kernel config", "kernel supersede", "worker", "worker sim", "worker terminate", "workers", "devices", "telemetry", "state", "command", "command send", "command status",
        "command wait", "command cancel", "keys", "keys show", "top", "demo", "sim", "sim list", "sim run", "sim explore", "sim replay",
    ];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_has_help_with_an_example(string command)
    {
        var (exit, output, _) = await RunAsync($"{command} --help");
        Assert.Equal(0, exit);
        Assert.Contains("Example:\n    ork " + command.Split(' ')[0], output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("kernel")]
    [InlineData("command send onlydevice")]
    [InlineData("demo --workers 0")]
    [InlineData("demo --kill-kernel -1")]
    [InlineData("demo --workers many")]
    [InlineData("workers --connect http://x")]
    [InlineData("kernel run --config /no/such/file")]
    [InlineData("kernel run --listen http://x")]
    [InlineData("kernel supersede --by 0")]
    [InlineData("command send d c --param novalue")]
    [InlineData("worker terminate sim-001")]
    [InlineData("sim run no-such-scenario")]
    [InlineData("sim run calm-day --gear sweep")]
    [InlineData("sim explore calm-day --gear warp")]
    [InlineData("sim explore calm-day --time soon")]
    [InlineData("sim explore calm-day --jobs 0")]
    [InlineData("sim replay /no/such/run.json")]
    public async Task Bad_usage_exits_with_2_and_says_why(string arguments)
    {
        var (exit, _, errors) = await RunAsync(arguments);
        Assert.Equal(2, exit);
        Assert.NotEmpty(errors);
    }

    [Fact]
    public async Task A_kernel_that_is_not_there_exits_with_1_and_its_code()
    {
        var (exit, output, _) = await RunAsync($"workers --data {_directory} --timeout 50 --json");
        Assert.Equal(1, exit);
        Assert.Contains("ERR_KERNEL_UNAVAILABLE", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_TCP_listener_without_an_allowlist_is_refused_with_its_code()
    {
        var (exit, output, _) = await RunAsync($"kernel run --data {_directory} --listen tcp://127.0.0.1:0 --json");
        Assert.Equal(1, exit);
        Assert.Contains("ERR_ALLOWLIST_EMPTY", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_TCP_on_other_than_loopback_is_refused_with_its_code()
    {
        var (exit, output, _) = await RunAsync($"kernel run --data {_directory} --listen tcp://0.0.0.0:0 --insecure --json");
        Assert.Equal(1, exit);
        Assert.Contains("ERR_INSECURE_NOT_LOOPBACK", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_not_superseded_and_one_that_is_there_says_how_far()
    {
        var (exit, output, _) = await RunAsync($"kernel supersede --data {_directory} --json");
        Assert.Equal(1, exit);
        Assert.Contains("ERR_STORE_UNAVAILABLE", output, StringComparison.Ordinal);
        await (await new SqliteKernelStoreOpener(_directory).OpenAsync()).DisposeAsync();
        (exit, output, _) = await RunAsync($"kernel supersede --data {_directory} --by 41 --json");
        Assert.Equal(0, exit);
        Assert.Contains("\"after\": 42", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_made_once_and_shown_again()
    {
        var first = await RunAsync($"keys show --data {_directory} --json");
        var second = await RunAsync($"keys show --data {_directory} --json");
        Assert.Equal((0, first.Output), (second.Exit, second.Output));
        Assert.Matches("\"kernel\": \"sha256:[0-9a-f]{64}\"", first.Output);
    }

    internal static async Task<(int Exit, string Output, string Errors)> RunAsync(string arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(Output).Assembly.Location);
        foreach (var argument in arguments.Split(' ')) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
