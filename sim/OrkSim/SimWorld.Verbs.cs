using Ork.Protocol;

namespace OrkSim;

// What can be done to the world. Each is a thing a person would say of a bad day.
public sealed partial class SimWorld
{
    /// <summary>How a node ended that did as it was told.</summary>
    internal const string HasStopped = "stopped";

    private CommitFault _commitFault;
    private long _crashAtStep = -1;
    private string? _crashNode;

    /// <summary>The kernel's process dies.</summary>
    /// <param name="downFor">Until it is started again.</param>
    /// <param name="silently">True: its machine dies with it and tells nobody.</param>
    /// <param name="keepCommit">True: the commit in flight reaches the disk; false: it is lost.</param>
    public void CrashKernel(TimeSpan downFor, bool silently = false, bool keepCommit = false)
    {
        var node = KernelNode;
        if (!node.IsUp) return;
        Store.Release(node, keepCommit);
        Network.NodeDown(node, silently);
        node.End();
        Facts.Disturbed();
        Emit(new SimEvent { Kind = SimEventKind.NodeDown, Node = node, Detail = keepCommit ? "crashed, commit in flight kept" : "crashed, commit in flight lost" });
        RestartKernelAfter(node, downFor);
    }

    /// <summary>The kernel is asked to stop, as an operator would, and started again when it has.</summary>
    public void StopKernel()
    {
        if (!KernelNode.IsUp || !_kernels.TryGetValue(KernelNode, out var kernel)) return;
        KernelNode.StopTicks ??= Scheduler.NowTicks;
        KernelNode.Run(kernel.Stop);
    }

    /// <summary>The kernel crashes with its commit in flight lost.</summary>
    public void LoseCommitInFlight(TimeSpan downFor) => CrashKernel(downFor, keepCommit: false);

    /// <summary>
    /// A second kernel takes store and addresses while the first still lives and does not know: what the first has said and still says must harm nobody.
    /// </summary>
    /// <param name="keepCommit">True: the first one's commit in flight reaches the disk.</param>
    public void TakeOver(bool keepCommit)
    {
        var old = KernelNode;
        var next = _kernelNodes.First(node => node != old);
        if (!old.IsUp || next.IsUp) return;
        Store.Release(null, keepCommit);
        Network.TakeAddresses(old);
        StartKernel(next);
    }

    /// <summary>The kernel that was taken over from is gone at last.</summary>
    public void KillStaleKernel()
    {
        foreach (var node in _kernelNodes)
        {
            if (node == KernelNode || !node.IsUp) continue;
            Store.Release(node, keep: false);
            Network.NodeDown(node, silently: false);
            node.End();
            Facts.Disturbed();
            Emit(new SimEvent { Kind = SimEventKind.NodeDown, Node = node, Detail = "stale kernel killed" });
        }
    }

    /// <summary>A node stops in its tracks, as a stopped process or a paused machine does.</summary>
    public void Freeze(SimNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        node.Freeze();
    }

    /// <summary>A frozen node goes on as if nothing had been.</summary>
    public void Thaw(SimNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (!node.Frozen) return;
        if (node == Facts.Holder) Facts.AwakeTicks = Scheduler.NowTicks;
        foreach (var link in Facts.WorkerLinks)
        {
            if (link.KernelSide.Owner == node) link.LastPingTicks = Scheduler.NowTicks;
        }

        node.Thaw();
    }

    /// <summary>A Worker's process dies.</summary>
    /// <param name="worker">Which.</param>
    /// <param name="downFor">Until it is started again.</param>
    /// <param name="silently">True: its machine dies with it and tells nobody.</param>
    public void CrashWorker(SimWorker worker, TimeSpan downFor, bool silently = false)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (!worker.Node.IsUp) return;
        WorkerDown(worker, silently, silently ? "lost power" : "crashed");
        StartWorkerAfter(worker, downFor);
    }

    /// <summary>A Worker is told to stop, as for an upgrade, and started again when it has.</summary>
    /// <param name="worker">Which.</param>
    /// <param name="downFor">Until it is started again.</param>
    public void StopWorker(SimWorker worker, TimeSpan downFor)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (!worker.Node.IsUp || worker.Stop is not { } stop) return;
        worker.DownFor = downFor;
        worker.Node.Run(() =>
        {
            worker.Node.StopTicks ??= Scheduler.NowTicks;
            stop.Cancel();
        });
    }

    private void WorkerDown(SimWorker worker, bool silently, string how)
    {
        Network.NodeDown(worker.Node, silently);
        worker.Node.End();
        if (!worker.KeepsJournal) worker.Journal.Lose(worker.Node);
        Facts.Disturbed();
        Emit(new SimEvent { Kind = SimEventKind.NodeDown, Node = worker.Node, Detail = how });
    }

    private void StartWorkerAfter(SimWorker worker, TimeSpan downFor) => God.Launch(async () =>
    {
        await Delay(downFor);
        StartWorker(worker);
    });

    /// <summary>A Worker's machine dies and its standby takes over, with its key and with a journal of its own; the next time it is the first one's turn again.</summary>
    /// <param name="worker">Which.</param>
    /// <param name="downFor">Until the standby is started.</param>
    /// <param name="silently">True: nobody is told that the machine died.</param>
    public void FailOver(SimWorker worker, TimeSpan downFor, bool silently = false)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (!worker.Node.IsUp) return;
        CrashWorker(worker, downFor, silently);
        worker.Journal.FailOver();
    }

    /// <summary>A device acts on a command: what counts, whoever told it to.</summary>
    public void Act(SimWorker worker, string deviceId, string commandId, string command, int attempt, long epoch, string? parameters = null)
    {
        ArgumentNullException.ThrowIfNull(worker);
        Facts.Executed(worker.Node, new Execution(deviceId, worker.Node.Name, commandId, command, attempt, epoch, Scheduler.NowTicks, parameters));
    }

    /// <summary>A device is plugged in elsewhere: its Worker and another start again with other lists.</summary>
    public void MoveDevice(string deviceId, SimWorker from, SimWorker to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        if (from == to || !from.DeviceIds.Remove(deviceId)) return;
        to.DeviceIds.Add(deviceId);
        CrashWorker(from, TimeSpan.FromMilliseconds(50));
        CrashWorker(to, TimeSpan.FromMilliseconds(50));
    }

    /// <summary>A node and another no longer hear each other.</summary>
    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    /// <param name="oneWay">True: only what <paramref name="a"/> says does not arrive.</param>
    public void Partition(SimNode a, SimNode b, bool oneWay = false)
    {
        Network.Block(a, b);
        if (!oneWay) Network.Block(b, a);
    }

    /// <summary>Ends the partition of two nodes.</summary>
    public void Rejoin(SimNode a, SimNode b) => Network.Unblock(a, b);

    /// <summary>Every link of a share of the Workers is lost at once.</summary>
    public void Storm(double fraction)
    {
        foreach (var link in Facts.WorkerLinks.ToArray())
        {
            if (Draws.Chance(fraction)) link.KernelSide.Reset();
        }
    }

    /// <summary>Commits neither succeed nor fail, until <see cref="ResumeStore"/>.</summary>
    public void StallStore() => Store.Stall();

    /// <summary>Commits go on.</summary>
    public void ResumeStore() => Store.Resume();

    /// <summary>The next commit goes wrong.</summary>
    public void FailNextCommit(CommitFault fault) => _commitFault = fault;

    /// <summary>The disk is full, or no longer.</summary>
    public void FillDisk(bool full) => Store.Full = full;

    /// <summary>The store's check fails at its next opening, or no longer.</summary>
    public void DamageStore(bool damaged) => Store.Damaged = damaged;

    /// <summary>A node's wall clock jumps.</summary>
    public void JumpWallClock(SimNode node, TimeSpan by)
    {
        ArgumentNullException.ThrowIfNull(node);
        node.SetWallOffset(node.WallOffset + by);
    }

    /// <summary>Timers set from now on fire up to so late.</summary>
    public void LateTimers(TimeSpan most)
    {
        MaxLateness = most;
        if (most > WorstLateness) WorstLateness = most;
    }

    /// <summary>A Worker's devices hang: it still answers pings.</summary>
    public void Mute(SimWorker worker)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (worker.Muted is not null) return;
        worker.Muted = new TaskCompletionSource();
        worker.WasMuted = true;
        Facts.Service.Hung(Scheduler.NowTicks);
    }

    /// <summary>A Worker's devices go on.</summary>
    public void Unmute(SimWorker worker)
    {
        ArgumentNullException.ThrowIfNull(worker);
        var muted = worker.Muted;
        worker.Muted = null;
        if (muted is null) return;
        Facts.Service.WentOn();
        worker.Node.Run(() => muted.TrySetResult());
    }

    /// <summary>An operator holds a Worker's circuit.</summary>
    public void Hold(SimWorker worker, CircuitHold hold)
    {
        ArgumentNullException.ThrowIfNull(worker);
        worker.WasHeld = true;
        _callers.Find(caller => caller.Node.Name == "auditor")?.Hold(worker.Node.Name, hold);
    }

    /// <summary>Discovery no longer names a Worker that listens, or names it again.</summary>
    public void LeaveOut(SimWorker worker, bool isLeftOut)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (worker.Options.Listen is { } endpoint) Discovery.LeaveOut(endpoint, isLeftOut);
    }

    /// <summary>Discovery cannot tell anybody whom to dial, or can again.</summary>
    public void CutDiscovery(bool isCut) => Discovery.Cut(isCut);

    /// <summary>A Worker that is dialled dies and comes back at another address, of which discovery tells at once.</summary>
    /// <param name="worker">Which; nothing happens to one that announces itself.</param>
    /// <param name="downFor">Until it is started again.</param>
    public void Readdress(SimWorker worker, TimeSpan downFor)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (!worker.Node.IsUp || worker.Options.Listen is not { } old) return;
        var next = LinkEndpoint.Tcp(old.Host, old.Port + 1);
        CrashWorker(worker, downFor);
        worker.Options = worker.Options with { Listen = next };
        Discovery.Readdress(old, next);
    }

    /// <summary>No more faults: everything is given back what it needs, and must come right by itself.</summary>
    public void Heal()
    {
        if (!FaultsOn) return;
        FaultsOn = false;
        Network.Heal();
        Discovery.NameAll();
        Store.Full = Store.Damaged = false;
        _commitFault = CommitFault.None;
        ResumeStore();
        MaxLateness = TimeSpan.Zero;
        KillStaleKernel();
        foreach (var node in _nodes)
        {
            node.SetWallOffset(TimeSpan.Zero);
            Thaw(node);
        }

        foreach (var worker in _workers)
        {
            worker.Node.Key = "key:" + worker.Node.Name;
            worker.Mischief?.Stop();
            worker.Journal.Fails = false;
            Unmute(worker);
            if (worker.WasHeld) Hold(worker, CircuitHold.None);
            StartWorker(worker);
        }

        StartKernel(KernelNode);
        Facts.Healed();
    }

    /// <summary>Crashes a node when a step is reached: the sweep's way of trying every moment.</summary>
    /// <param name="step">The step.</param>
    /// <param name="node">The node's name: <c>kernel</c>, or a Worker's.</param>
    public void CrashAtStep(long step, string node)
    {
        _crashAtStep = step;
        _crashNode = node;
    }

    /// <summary>Lets the choices decide before each step whether the kernel crashes there, once.</summary>
    internal bool CrashAnywhere { get; set; }

    internal CommitFault TakeCommitFault()
    {
        var fault = _commitFault;
        _commitFault = CommitFault.None;
        return fault;
    }

    private void OnStep()
    {
        if (_crashAtStep >= 0 && Scheduler.Steps == _crashAtStep)
        {
            _crashAtStep = -1;
            CrashNamed(_crashNode!);
        }
        else if (CrashAnywhere && KernelNode.IsUp && FaultsOn && Draws.Pick(DrawKind.Chance, 2) == 1)
        {
            CrashAnywhere = false;
            CrashKernel(TimeSpan.FromMilliseconds(100), keepCommit: Draws.Pick(DrawKind.Chance, 2) == 1);
        }
    }

    private void CrashNamed(string name)
    {
        if (_workersById.GetValueOrDefault(name) is { } worker) CrashWorker(worker, TimeSpan.FromMilliseconds(200));
        else CrashKernel(TimeSpan.FromMilliseconds(200), keepCommit: Draws.Pick(DrawKind.Chance, 2) == 1);
    }
}
