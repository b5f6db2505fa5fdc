using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>How the next commit goes wrong.</summary>
public enum CommitFault
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>It fails before anything is durable.</summary>
    BeforeApply,

    /// <summary>It fails although everything is durable: the kernel cannot know.</summary>
    AfterApply,
}

/// <summary>
/// The model of the store's port: a disk that outlives the kernels that open it. What is on it can be looked at at any time, for checks from outside.
/// </summary>
public sealed class ModelDisk : IKernelStoreOpener
{
    private const int MostForgotten = 512;

    private readonly object _gate = new();
    private readonly Dictionary<string, WorkerRow> _workers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeviceRow> _devices = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, CommandRow> _commands = [];
    private readonly List<TransitionRow> _log = [];

    // Commands that are gone while their rows are still in the log: going through all of it for each would cost more than everything else.
    private readonly HashSet<long> _forgotten = [];
    private long _epoch;
    private Open? _holder;
    private CommitFault _fault;

    /// <summary>The highest epoch given out.</summary>
    public long Epoch
    {
        get
        {
            lock (_gate) return _epoch;
        }
    }

    /// <summary>Commits that were applied.</summary>
    public int Commits { get; private set; }

    /// <summary>The commands on the disk, by rising sequence.</summary>
    public IReadOnlyList<CommandRow> Commands
    {
        get
        {
            lock (_gate) return [.. _commands.Values];
        }
    }

    /// <summary>The Workers on the disk, by id.</summary>
    public IReadOnlyList<WorkerRow> Workers
    {
        get
        {
            lock (_gate) return [.. _workers.Values.OrderBy(row => row.WorkerId, StringComparer.Ordinal)];
        }
    }

    /// <summary>The devices on the disk, by id.</summary>
    public IReadOnlyList<DeviceRow> Devices
    {
        get
        {
            lock (_gate) return [.. _devices.Values.OrderBy(row => row.DeviceId, StringComparer.Ordinal)];
        }
    }

    /// <summary>The command log, in the order it was written.</summary>
    public IReadOnlyList<TransitionRow> Log
    {
        get
        {
            lock (_gate)
            {
                DropForgotten();
                return [.. _log];
            }
        }
    }

    /// <summary>Makes the next commit fail.</summary>
    public void FailNextCommit(CommitFault fault)
    {
        lock (_gate) _fault = fault;
    }

    /// <inheritdoc/>
    public ValueTask<IKernelStore> OpenAsync()
    {
        lock (_gate)
        {
            if (_holder is not null) throw new StoreException(ErrorCodes.StoreLocked);
            _epoch++;
            _holder = new Open(this, new KernelImage(_epoch, Workers, Devices, Commands));
            return new ValueTask<IKernelStore>(_holder);
        }
    }

    private void DropForgotten()
    {
        if (_forgotten.Count > 0) _log.RemoveAll(row => _forgotten.Contains(row.CommandSeq));
        _forgotten.Clear();
    }

    private void Apply(CommitBatch batch)
    {
        foreach (var row in batch.Workers) _workers[row.WorkerId] = row with { Contract = row.Contract.ToArray() };
        foreach (var deviceId in batch.RemovedDevices) _devices.Remove(deviceId);
        foreach (var row in batch.Devices) _devices[row.DeviceId] = row with { State = row.State.ToArray() };
        foreach (var row in batch.NewCommands) _commands.Add(row.Seq, row);
        foreach (var row in batch.ChangedCommands)
        {
            // The spec is not written again: what the store has stays.
            if (_commands.TryGetValue(row.Seq, out var stored)) _commands[row.Seq] = row with { Spec = stored.Spec };
        }

        _log.AddRange(batch.Log);
        foreach (var seq in batch.ForgottenCommands)
        {
            _commands.Remove(seq);
            _forgotten.Add(seq);
        }

        if (_forgotten.Count >= MostForgotten) DropForgotten();

        Commits++;
    }

    private sealed class Open(ModelDisk disk, KernelImage image) : IKernelStore
    {
        private KernelImage? _image = image;
        private bool _broken;

        public KernelImage TakeImage()
        {
            var image = _image ?? throw new InvalidOperationException("The image was taken already.");
            _image = null;
            return image;
        }

        public ValueTask CommitAsync(CommitBatch batch)
        {
            ArgumentNullException.ThrowIfNull(batch);
            lock (disk._gate)
            {
                if (_broken || disk._holder != this) throw new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, "an earlier commit failed"));
                var fault = disk._fault;
                disk._fault = CommitFault.None;
                if (fault != CommitFault.BeforeApply) disk.Apply(batch);
                if (fault == CommitFault.None) return ValueTask.CompletedTask;
                _broken = true;
                throw new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, fault.ToString()));
            }
        }

        public ValueTask DisposeAsync()
        {
            lock (disk._gate)
            {
                if (disk._holder == this) disk._holder = null;
            }

            return ValueTask.CompletedTask;
        }
    }
}
