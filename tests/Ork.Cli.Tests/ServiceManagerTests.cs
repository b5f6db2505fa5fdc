using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Ork.Cli.Hosting;

namespace Ork.Cli.Tests;

/// <summary>What the service manager is told of a kernel, against a manager that the test plays.</summary>
public sealed class ServiceManagerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("ork-notify").FullName;
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
    private readonly FakeTimeProvider _time = new();
    private readonly List<TaskCompletionSource> _turns = [];

    public void Dispose()
    {
        _manager.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_hears_that_the_kernel_serves_and_then_of_each_turn_and_of_none_while_none_is_taken(bool isAbstract)
    {
        using var manager = Find(Listen(isAbstract), "4000000")!;
        using var over = new CancellationTokenSource();
        var watching = manager.WatchAsync(Task.FromResult("Serves on unix:/x"), NextTurn, over.Token);
        Assert.Equal("READY=1\nSTATUS=Serves on unix:/x", Hear());

        // The first turn is never taken.
        await AskedAsync(2);
        Assert.Equal(0, _manager.Available);
        Take(1);
        Assert.Equal("WATCHDOG=1", Hear());
        await AskedAsync(3);
        Take(2);
        Assert.Equal("WATCHDOG=1", Hear());
        manager.Stopping();
        Assert.StartsWith("STOPPING=1\n", Hear(), StringComparison.Ordinal);
        await over.CancelAsync();
        await watching.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("0", null)]
    [InlineData("soon", null)]
    [InlineData("4000000", "1")]
    public async Task Where_the_unit_has_no_watchdog_or_it_is_another_processs_no_turn_is_asked_for(string? us, string? pid)
    {
        using var manager = Find(Listen(isAbstract: false), us, pid)!;
        await manager.WatchAsync(Task.FromResult("Serves"), NextTurn, CancellationToken.None).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal("READY=1\nSTATUS=Serves", Hear());
        Assert.Empty(_turns);
    }

    [Fact]
    public async Task A_kernel_that_does_not_come_to_serve_is_not_said_to()
    {
        using var manager = Find(Listen(isAbstract: false), "4000000")!;
        await manager.WatchAsync(Task.FromException<string>(new IOException("no disk")), NextTurn, CancellationToken.None).WaitAsync(Patience, TestContext.Current.CancellationToken);
        using var over = new CancellationTokenSource();
        var watching = manager.WatchAsync(new TaskCompletionSource<string>().Task, NextTurn, over.Token);
        await over.CancelAsync();
        await watching.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, _manager.Available);
    }

    [Fact]
    public void A_manager_that_is_gone_ends_no_kernel()
    {
        var manager = Find(Path.Combine(_directory, "nobody"), null)!;
        manager.Stopping();
        manager.Dispose();
        manager.Stopping();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("vsock:2:1234")]
    public void Without_a_manager_nobody_is_told(string? socket) => Assert.Null(Find(socket, "4000000"));

    [Theory]
    [InlineData('/')]
    [InlineData('@')]
    public void A_name_longer_than_any_sockets_is_nobodys(char first) => Assert.Null(Find(first + new string('x', 200), "4000000"));

    private string Listen(bool isAbstract)
    {
        var name = Path.Combine(_directory, "notify");
        _manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : name));
        return isAbstract ? "@" + name : name;
    }

    private ServiceManager? Find(string? socket, string? us, string? pid = null) => ServiceManager.Find(
        name => name switch { ServiceManager.SocketVariable => socket, ServiceManager.WatchdogVariable => us, _ => pid }, _time, NullLogger.Instance);

    private string Hear()
    {
        var buffer = new byte[1_024];
        return Encoding.UTF8.GetString(buffer, 0, _manager.Receive(buffer));
    }

    private Task NextTurn()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_turns) _turns.Add(turn);
        return turn.Task;
    }

    private void Take(int turn)
    {
        lock (_turns) _turns[turn].SetResult();
    }

    /// <summary>Lets time pass until so many turns were asked for.</summary>
    private async Task AskedAsync(int turns)
    {
        while (true)
        {
            lock (_turns)
            {
                if (_turns.Count >= turns) return;
            }

            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }
}
