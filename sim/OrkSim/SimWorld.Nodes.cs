using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim;

// Who lives in the world, and how they start.
public sealed partial class SimWorld
{
    private static readonly LinkEndpoint CallerEndpoint = LinkEndpoint.Tcp("kernel", 7400);
    private static readonly LinkEndpoint WorkerEndpoint = LinkEndpoint.Tcp("kernel", 7401);

    private readonly List<SimNode> _kernelNodes = [];
    private readonly List<SimWorker> _workers = [];
    private readonly Dictionary<string, SimWorker> _workersById = new(StringComparer.Ordinal);
    private readonly List<SimCaller> _callers = [];
    private readonly HashSet<SimNode> _broken = [];
    private readonly HashSet<string> _brokenKeys = new(StringComparer.Ordinal);
    private readonly Dictionary<SimNode, OrkKernel> _kernels = [];
    private readonly Dictionary<string, SimDevice> _devices = new(StringComparer.Ordinal);

    /// <summary>What tells the kernels whom to dial.</summary>
    internal SimDiscovery Discovery { get; private set; } = null!;

    /// <summary>The Workers.</summary>
    public IReadOnlyList<SimWorker> Workers => _workers;

    /// <summary>The callers.</summary>
    internal IReadOnlyList<SimCaller> Callers => _callers;

    /// <summary>The devices, by id.</summary>
    public IReadOnlyDictionary<string, SimDevice> Devices => _devices;

    /// <summary>The kernel whose turn it is: the one that runs, or is started next.</summary>
    public SimNode KernelNode { get; private set; } = null!;

    /// <summary>Wraps a port before a kernel, Worker or caller is handed it: to plant something.</summary>
    public PortWrappers Ports { get; } = new();

    /// <summary>Runs something of one's own on a node of one's own, from the beginning of the run on.</summary>
    /// <param name="name">The node's name; made where there is none.</param>
    /// <param name="main">What to run; its awaits come back to the node.</param>
    public void Start(string name, Func<Task> main) => NodeOf(name).Launch(main);

    /// <summary>The network as a node of one's own sees it.</summary>
    /// <param name="name">The node's name; made where there is none.</param>
    public INetwork NetworkOf(string name) => Network.Of(NodeOf(name));

    private SimNode NodeOf(string name)
    {
        if (_nodes.Find(node => node.Name == name) is { } known) return known;
        var node = AddNode(name, NodeKind.Caller);
        node.Start();
        return node;
    }

    /// <summary>The caller that floods, or null.</summary>
    internal SimNode? Flooder { get; private set; }

    /// <summary>Workers whose circuits an operator has asked to be held closed, now or earlier.</summary>
    internal HashSet<string> HeldClosed { get; } = new(StringComparer.Ordinal);

    internal bool WasMuted(string workerId) => _workersById.GetValueOrDefault(workerId) is { WasMuted: true };

    internal bool IsHeldClosed(string workerId) => HeldClosed.Contains(workerId);

    /// <summary>True where a Worker keeps the protocol.</summary>
    internal bool IsHonest(string workerId) => _workersById.GetValueOrDefault(workerId) is { Mischief: null };

    /// <summary>True where the caller of a key sends what no caller should.</summary>
    internal bool IsBroken(string callerKey) => _brokenKeys.Contains(callerKey);

    /// <summary>True where a caller sends what no caller should.</summary>
    internal bool IsBroken(SimNode caller) => _broken.Contains(caller);

    /// <summary>True where a Worker's journal outlives it.</summary>
    internal bool KeepsJournal(string workerId) => _workersById.GetValueOrDefault(workerId) is { KeepsJournal: true };

    /// <summary>The journal of a Worker.</summary>
    internal SimJournal JournalOf(string workerId) => _workersById[workerId].Journal;

    /// <summary>True while a Worker's journal writes how a command ended.</summary>
    internal bool IsEnding(SimNode worker, string commandId) => _workersById.GetValueOrDefault(worker.Name) is { } known && known.Journal.IsEnding(commandId);

    /// <summary>True where an operator terminated the Worker.</summary>
    internal bool IsGone(string workerId) => _workersById.GetValueOrDefault(workerId) is { Gone: true };

    internal void StartKernel(SimNode node)
    {
        if (node.IsUp) return;
        KernelNode = node;
        node.Start();
        Facts.Disturbed();
        Emit(new SimEvent { Kind = SimEventKind.NodeUp, Node = node });
        var kernel = new OrkKernel(Ports.Options(node, KernelOptions), new KernelPorts
        {
            Store = Ports.Store(node, Store.Of(node)),
            Network = Ports.Network(node, Network.Of(node)),
            Entropy = node.Entropy,
            Time = Ports.Clock(node, node.Clock),
            Observer = new SimObserver(this, node),
            CallerEndpoints = [CallerEndpoint],
            WorkerEndpoints = [WorkerEndpoint],
            Discovery = Discovery,
            Sinks = [new SimSink(this, node)],
        });
        _kernels[node] = kernel;
        node.Launch(() => RunKernelAsync(node, kernel));
    }

    internal void StartWorker(SimWorker worker)
    {
        if (worker.Node.IsUp || worker.Gone) return;
        worker.Node.Start();
        Facts.Disturbed();
        Emit(new SimEvent { Kind = SimEventKind.NodeUp, Node = worker.Node });
        var ork = new OrkWorker(worker.Define(), worker.Options, new WorkerPorts
        {
            Network = Ports.Network(worker.Node, worker.Mischief is { } mischief ? mischief.Of(worker.Node, Network.Of(worker.Node)) : Network.Of(worker.Node)),
            Entropy = worker.Node.Entropy,
            Time = Ports.Clock(worker.Node, worker.Node.Clock),
            Journal = Ports.Journal(worker.Node, worker.Journal.Of(worker.Node, worker.KeepsJournal)),
        });
        worker.Runtime = ork;
        var stop = worker.Stop = new CancellationTokenSource();
        worker.Node.Launch(() => RunWorkerAsync(worker, ork, stop.Token));
    }

    private async Task RunWorkerAsync(SimWorker worker, OrkWorker ork, CancellationToken stop)
    {
        await ork.RunAsync(stop);
        if (!stop.IsCancellationRequested) NodeFailed(worker.Node, "ended, and nobody had told it to.");
        WorkerDown(worker, silently: false, HasStopped);
        StartWorkerAfter(worker, FaultsOn ? worker.DownFor : TimeSpan.FromMilliseconds(20));
    }

    private async Task RunKernelAsync(SimNode node, OrkKernel kernel)
    {
        string? why = null;
        try
        {
            await kernel.RunAsync();
        }
        catch (Exception e) when (e is StoreException or LinkException)
        {
            why = e.Message;
        }
        catch (Exception e)
        {
            NodeFailed(node, e);
            return;
        }

        KernelExited(node, why);
    }

    private void KernelExited(SimNode node, string? why)
    {
        Network.NodeDown(node, silently: false);
        node.End();
        Facts.Disturbed();
        Emit(new SimEvent { Kind = SimEventKind.NodeDown, Node = node, Detail = why ?? HasStopped });
        if (node == KernelNode) RestartKernelAfter(node, Draws.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(1)));
    }

    private void RestartKernelAfter(SimNode node, TimeSpan delay) => God.Launch(() => RestartKernelAfterAsync(node, delay));

    private async Task RestartKernelAfterAsync(SimNode node, TimeSpan delay)
    {
        await Delay(delay);
        if (node == KernelNode) StartKernel(node);
    }

    private AttemptTimes? _attempts;
    private readonly WorkerContract?[] _contracts = new WorkerContract?[2];

    /// <summary>How long attempts may take.</summary>
    internal AttemptTimes Attempts => _attempts ??= new AttemptTimes(this);

    /// <summary>The contract of the simulated miners.</summary>
    internal WorkerContract ContractOfMiners(bool reboots)
    {
        ref var contract = ref _contracts[reboots ? 1 : 0];
        if (contract is null) Attempts.Learn(contract = MinerContract.With(Scenario.Fleet.TimeoutMs, reboots));
        return contract;
    }

    private void BuildFleet()
    {
        _kernelNodes.Add(AddNode("kernel", NodeKind.Kernel));
        _kernelNodes.Add(AddNode("kernel-b", NodeKind.Kernel));
        KernelNode = _kernelNodes[0];
        var fleet = Scenario.Fleet;
        var dialled = new List<DialTarget>();
        for (var i = 1; i <= fleet.Workers.Min; i++)
        {
            var name = $"w-{i:D3}";
            var dial = fleet.Link == LinkMode.Dial || (fleet.Link == LinkMode.Mixed && i % 3 == 0);
            var listen = dial ? LinkEndpoint.Tcp(name, 7500) : null;
            var keeps = (i - 0.5) / fleet.Workers.Min <= fleet.Journal.Min;
            var worker = new SimWorker(this, AddNode(name, NodeKind.Worker), keeps)
            {
                Options = WorkerOptions with { Announce = dial ? null : WorkerEndpoint, Listen = listen },
                Journal = new SimJournal(this, fleet.JournalWrite.Min, fleet.JournalWrite.Max),
            };
            for (var d = 1; d <= fleet.DevicesPerWorker.Min; d++)
            {
                var device = new SimDevice($"d-{i:D3}-{d:D2}");
                _devices.Add(device.Id, device);
                worker.DeviceIds.Add(device.Id);
            }

            if (listen is not null) dialled.Add(new DialTarget(listen, null));
            _workers.Add(worker);
            _workersById.Add(worker.Node.Name, worker);
        }

        Discovery = new SimDiscovery(this, dialled);
    }

    private void AddBroken(SimNode node)
    {
        _broken.Add(node);
        _brokenKeys.Add(node.Key);
        _callers.Add(new SimCaller(this, node, isAuditor: false) { Broken = true });
    }

    private void BuildCallers()
    {
        for (var i = 1; i <= Scenario.Workload.Callers.Min; i++) _callers.Add(new SimCaller(this, AddNode($"caller-{i}", NodeKind.Caller), isAuditor: false));
        if (Scenario.Workload.Flood.Min > 0) _callers.Add(new SimCaller(this, Flooder = AddNode("flooder", NodeKind.Caller), isAuditor: false) { Flooding = true });
        if (Scenario.Workload.CurtailAt.Max > TimeSpan.Zero) _callers.Add(new SimCaller(this, AddNode("curtailer", NodeKind.Caller), isAuditor: false) { Curtailing = true });
        if (Scenario.Workload.Audit) _callers.Add(new SimCaller(this, AddNode("auditor", NodeKind.Caller), isAuditor: true));
        for (var i = 1; i <= Scenario.Workload.Broken.Min; i++) AddBroken(AddNode($"broken-{i}", NodeKind.Caller));
    }
}

/// <summary>What stands between a node and its ports: nothing, unless a test plants something.</summary>
public sealed class PortWrappers
{
    /// <summary>The network of a node.</summary>
    public Func<SimNode, INetwork, INetwork> Network { get; set; } = static (_, network) => network;

    /// <summary>The store of a kernel.</summary>
    public Func<SimNode, IKernelStoreOpener, IKernelStoreOpener> Store { get; set; } = static (_, store) => store;

    /// <summary>The clock of a node.</summary>
    public Func<SimNode, TimeProvider, TimeProvider> Clock { get; set; } = static (_, clock) => clock;

    /// <summary>The options of a kernel, where they are to be others than the world believes.</summary>
    public Func<SimNode, KernelOptions, KernelOptions> Options { get; set; } = static (_, options) => options;

    /// <summary>What every Worker of the world is, where it is somebody's own and no simulated miner. See <see cref="WorkerTrial"/>.</summary>
    public DefineWorker? Worker { get; set; }

    /// <summary>The journal of a Worker.</summary>
    public Func<SimNode, ICommandJournal, ICommandJournal> Journal { get; set; } = static (_, journal) => journal;
}
