using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>How the disk of a world behaves.</summary>
public sealed record DiskBehaviour
{
    /// <summary>The quickest commit.</summary>
    public TimeSpan MinCommit { get; init; } = TimeSpan.FromMilliseconds(0.3);

    /// <summary>The slowest commit.</summary>
    public TimeSpan MaxCommit { get; init; } = TimeSpan.FromMilliseconds(3);

    /// <summary>How long opening takes at least.</summary>
    public TimeSpan MinOpen { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How long opening takes at most.</summary>
    public TimeSpan MaxOpen { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How likely a commit fails and nothing of it is durable.</summary>
    public double FailBefore { get; init; }

    /// <summary>How likely a commit fails although all of it is durable.</summary>
    public double FailAfter { get; init; }
}

/// <summary>
/// The virtual store: a <see cref="ModelDisk"/> that outlives its kernels, with the time it takes and the ways it fails.
/// </summary>
public sealed class SimStore
{
    private readonly SimWorld _world;
    private readonly List<Handle> _waiting = [];
    private Handle? _holder;

    internal SimStore(SimWorld world, DiskBehaviour behaviour)
    {
        _world = world;
        Behaviour = behaviour;
    }

    /// <summary>What is durable.</summary>
    public ModelDisk Disk { get; } = new();

    /// <summary>How it behaves.</summary>
    public DiskBehaviour Behaviour { get; }

    /// <summary>True while nothing can be written.</summary>
    public bool Full { get; internal set; }

    /// <summary>True while its check fails when it is opened.</summary>
    public bool Damaged { get; internal set; }

    /// <summary>True while commits neither succeed nor fail.</summary>
    public bool Stalled { get; private set; }

    /// <summary>The store as a node sees it.</summary>
    public IKernelStoreOpener Of(SimNode node) => new Opener(this, node);

    internal void Stall() => Stalled = true;

    internal void Resume()
    {
        Stalled = false;
        var waiting = _waiting.ToArray();
        _waiting.Clear();
        foreach (var handle in waiting) handle.Begin();
    }

    /// <summary>The kernel that holds the store is gone, or holds it no longer.</summary>
    /// <param name="node">Only where it is this one; null for whichever it is.</param>
    /// <param name="keep">True: the commit in flight reaches the disk.</param>
    internal void Release(SimNode? node, bool keep)
    {
        if (_holder is null || (node is not null && _holder.Holder != node)) return;
        _holder.Die(keep);
        _holder = null;
    }

    private sealed class Opener(SimStore store, SimNode node) : IKernelStoreOpener
    {
        public async ValueTask<IKernelStore> OpenAsync()
        {
            store._world.Emit(new SimEvent { Kind = SimEventKind.Dialled, Node = node, Subject = Reconnecting.Store });
            await Task.Delay(store._world.Draws.Between(store.Behaviour.MinOpen, store.Behaviour.MaxOpen), node.Clock);
            if (store.Damaged) throw new StoreException(ErrorCodes.StoreDamaged);
            if (store._holder is not null) throw new StoreException(ErrorCodes.StoreLocked);
            if (store.Full) throw new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, "disk full"));
            var inner = await store.Disk.OpenAsync();
            var image = inner.TakeImage();
            var handle = new Handle(store, node, inner, image);
            store._holder = handle;
            store._world.Facts.StoreOpened(node, image);
            return handle;
        }
    }

    private sealed class Handle(SimStore store, SimNode node, IKernelStore inner, KernelImage image) : AgendaItem, IKernelStore
    {
        private CommitBatch? _batch;
        private TaskCompletionSource? _done;
        private CommitFault _fault;
        private bool _gone;

        internal SimNode Holder => node;

        public KernelImage TakeImage() => image;

        public ValueTask CommitAsync(CommitBatch batch)
        {
            if (_gone) throw new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, "another kernel holds it"));
            _batch = batch;
            _done = new TaskCompletionSource();
            store._world.Facts.CommitSubmitted(node, batch);
            if (store.Stalled) store._waiting.Add(this);
            else Begin();
            return new ValueTask(_done.Task);
        }

        public ValueTask DisposeAsync()
        {
            if (store._holder == this) store._holder = null;
            return inner.DisposeAsync();
        }

        internal void Begin()
        {
            if (_batch is not null) store._world.Scheduler.Set(this, store._world.Draws.Between(store.Behaviour.MinCommit, store.Behaviour.MaxCommit));
        }

        internal void Die(bool keep)
        {
            _gone = true;
            store._waiting.Remove(this);
            store._world.Scheduler.Cancel(this);
            if (keep && _batch is not null && !store.Full) Apply();

            // A kernel that lives on is told that it failed, whether or not it reached the disk.
            if (_batch is not null) _done!.TrySetException(new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, "another kernel holds it")));
            _batch = null;
            store._world.Observe(node, inner.DisposeAsync().AsTask());
        }

        internal override void Run()
        {
            var draws = store._world.Draws;
            _fault = store._world.TakeCommitFault();
            if (_fault == CommitFault.None && store._world.FaultsOn)
            {
                _fault = draws.Chance(store.Behaviour.FailBefore) ? CommitFault.BeforeApply
                    : draws.Chance(store.Behaviour.FailAfter) ? CommitFault.AfterApply
                    : CommitFault.None;
            }

            if (store.Full) _fault = CommitFault.BeforeApply;
            if (_fault != CommitFault.BeforeApply) Apply();
            _batch = null;
            var done = _done!;
            if (_fault == CommitFault.None)
            {
                done.TrySetResult();
                return;
            }

            store._world.Facts.CommitFailed(node, _fault);
            done.TrySetException(new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, store.Full ? "disk full" : "the commit failed")));
        }

        private void Apply()
        {
            var applied = inner.CommitAsync(_batch!);
            System.Diagnostics.Debug.Assert(applied.IsCompletedSuccessfully, "The model commits at once.");
            store._world.Facts.CommitDurable(node, _batch!);
        }
    }
}
