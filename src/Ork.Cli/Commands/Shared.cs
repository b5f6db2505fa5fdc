using System.CommandLine;
using System.CommandLine.Parsing;
using Ork.Cli.Hosting;
using Ork.Client;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class Shared
{
    internal static Option<bool> Json() => new("--json") { Description = "Print one JSON value instead of text for people." };

    internal static Option<string> Data() => new("--data")
    {
        Description = "Data directory (default: $ORK_DATA, else ~/.local/state/ork).",
        DefaultValueFactory = _ => Defaults.DataDirectory,
    };

    internal static Option<string?> Connect() => new("--connect")
    {
        Description = "Kernel to ask: unix:/path or tcp://host:port (default: $ORK_ENDPOINT, else the socket in the data directory).",
    };

    internal static Option<string?> KernelKey() => new("--kernel-key")
    {
        Description = "Public-key hash a TCP kernel must prove, sha256:... (see 'ork keys show').",
    };

    internal static Option<bool> Insecure() => new("--insecure") { Description = "TCP without TLS or keys; loopback addresses only." };

    internal static IEnumerable<string> Path(this CommandResult result)
    {
        var names = new Stack<string>();
        for (SymbolResult? at = result; at is CommandResult { Command: not RootCommand } command; at = at.Parent) names.Push(command.Command.Name);
        return names;
    }

    /// <summary>A token that ends when the process is asked to stop.</summary>
    internal static Interruption Interruptible() => new();
}

/// <summary>A command with examples, which its own help shows and the list of commands does not.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    private readonly List<string> _examples = [];

    internal Verb WithExample(params string[] examples)
    {
        _examples.AddRange(examples);
        return this;
    }

    /// <summary>Appends the examples to the description.</summary>
    internal void ShowExamples() => Description += $"\n\nExample:\n  {string.Join("\n  ", _examples)}";
}

/// <summary>The options of every command that asks a kernel.</summary>
internal sealed class KernelOptionsSet
{
    private readonly Option<string> _data = Shared.Data();
    private readonly Option<string?> _connect = Shared.Connect();
    private readonly Option<string?> _key = Shared.KernelKey();
    private readonly Option<bool> _insecure = Shared.Insecure();
    private readonly Option<bool> _json = Shared.Json();
    private readonly Option<int> _timeout = new("--timeout")
    {
        Description = "Milliseconds a call may take.",
        DefaultValueFactory = _ => 15_000,
    };

    internal Verb AddTo(Verb command)
    {
        foreach (var option in new Option[] { _connect, _data, _key, _insecure, _timeout, _json }) command.Add(option);
        return command;
    }

    /// <summary>Asks a kernel; what it refuses becomes a failure with its code.</summary>
    internal async Task<int> AskAsync(ParseResult parsed, Func<OrkClient, Output, CancellationToken, Task<int>> ask)
    {
        var output = new Output(parsed.GetValue(_json));
        var endpointText = parsed.GetValue(_connect) ?? Environment.GetEnvironmentVariable("ORK_ENDPOINT") ?? Defaults.CallerEndpoint(parsed.GetValue(_data)!);
        if (LinkEndpoint.TryParse(endpointText) is not { } endpoint)
        {
            output.Fail(ErrorCodes.EndpointInvalid.Code, $"{ErrorCodes.EndpointInvalid.Code}: '{endpointText}' is not {LinkEndpoint.Form}");
            return ExitCode.BadUsage;
        }

        return await output.GuardAsync(async () =>
        {
            using var interruption = Shared.Interruptible();
            using var network = Networks.ForClient(parsed.GetValue(_data)!, endpoint, parsed.GetValue(_insecure));
            await using var client = new OrkClient(
                new ClientOptions { Endpoint = endpoint, KernelKey = parsed.GetValue(_key), Name = "ork-cli", TimeoutMs = parsed.GetValue(_timeout) },
                new ClientPorts { Network = network.Network, Entropy = new SystemEntropy() });
            return await ask(client, output, interruption.Token);
        });
    }
}

/// <summary>A token that ends when the process is asked to stop.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly StopSignals _signals;

    internal Interruption() => _signals = new StopSignals(Interrupt);

    internal CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _signals.Dispose();
        _source.Dispose();
    }

    /// <summary>Ends the token as a signal would.</summary>
    internal void Interrupt() => _source.Cancel();
}

/// <summary>Networks for the command line, with the key files of the data directory.</summary>
internal sealed class Networks : IDisposable
{
    internal const string ClientKeyFile = "client.key";
    internal const string WorkerKeyFile = "worker.key";

    private readonly LinkIdentity? _identity;

    private Networks(LinkIdentity? identity, SocketNetworkOptions options)
    {
        _identity = identity;
        Network = new SocketNetwork(options with { Identity = identity });
    }

    internal INetwork Network { get; }

    /// <inheritdoc/>
    public void Dispose() => _identity?.Dispose();

    internal static Networks ForClient(string data, LinkEndpoint endpoint, bool insecure) => Make(data, ClientKeyFile, endpoint, insecure);

    internal static Networks ForWorker(string data, LinkEndpoint endpoint, bool insecure) => Make(data, WorkerKeyFile, endpoint, insecure);

    // Whom to trust is said with the expected key; without one the other side's key is taken as it comes.
    private static Networks Make(string data, string keyFile, LinkEndpoint endpoint, bool insecure) => new(
        endpoint.IsUnix || insecure ? null : LinkIdentity.LoadOrCreate(Path.Combine(data, keyFile)),
        new SocketNetworkOptions { Insecure = insecure, Kernels = KeyAllowlist.Anybody });
}
