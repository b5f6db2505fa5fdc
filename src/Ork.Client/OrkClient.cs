using System.Buffers;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Client;

/// <summary>
/// Asks a kernel. Calls may run concurrently; they share one link, which is opened when needed and again when lost. A request whose link was lost is repeated
/// until its time is over, a command only if it has an idempotency key.
/// </summary>
public sealed class OrkClient : IAsyncDisposable
{
    private static readonly TimeSpan LeastPollPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MostPollPause = TimeSpan.FromSeconds(2);

    private readonly ClientOptions _options;
    private readonly ClientPorts _ports;
    private readonly Utf8Text _sender;
    private readonly List<TaskCompletionSource> _waiting = [];
    private readonly CancellationTokenSource _closing = new();
    private ClientLink? _link;
    private bool _connecting;

    // Since the latest answer: a link that came and went without one is no better than none.
    private int _connects;
    private string? _unreachable;

    /// <summary>Makes a client; it connects with its first call.</summary>
    public OrkClient(ClientOptions options, ClientPorts ports)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _ports = ports;
        _sender = Utf8Text.From(options.Name);
    }

    /// <summary>Sends a command. When this returns, the command is durable and will reach an end.</summary>
    /// <exception cref="OrkRefusedException">It was refused, or nobody knows because the link was lost and it has no idempotency key.</exception>
    public async Task<CommandReceipt> SendAsync(CommandOrder order, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        var payload = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                command = order.Command,
                @params = order.Params,
                scope = CommandWords.Of(order.Scope),
                workerId = order.WorkerId,
                targets = order.Targets,
                idempotencyKey = order.IdempotencyKey,
                priority = order.Priority == CommandPriority.Normal ? null : CommandWords.Of(order.Priority),
                deadlineMs = order.DeadlineMs,
            },
            WriteOptions);
        return CommandReceipt.Read(Accepted(await AskAsync(OrkAction.CommandRequest, order.DeviceId, payload, order.IdempotencyKey is not null, 0, cancellation)));
    }

    /// <summary>Asks how a command stands.</summary>
    /// <param name="commandId">The command.</param>
    /// <param name="waitMs">Milliseconds to wait for its end first, at most 30,000.</param>
    /// <param name="cancellation">Ends the call, not the command.</param>
    /// <exception cref="OrkRefusedException">The command is not known.</exception>
    public async Task<CommandView> StatusAsync(string commandId, long waitMs = 0, CancellationToken cancellation = default) =>
        CommandView.Read(Accepted(await AskStatusAsync(commandId, waitMs, cancellation)));

    /// <summary>Waits for a command's end, however long it takes.</summary>
    /// <exception cref="OrkRefusedException">The command is not known.</exception>
    public async Task<CommandView> WaitAsync(string commandId, CancellationToken cancellation = default)
    {
        var since = _ports.Time.GetTimestamp();
        while (true)
        {
            var asked = _ports.Time.GetTimestamp();
            var view = CommandView.Read(Accepted(await AskStatusAsync(commandId, CommandQueryPayload.MaxWaitMs, cancellation)));
            if (view.IsTerminal) return view;

            // A kernel with too many long polls answers at once: asking again at once would only add to its load.
            if (_ports.Time.GetElapsedTime(asked) < LeastPollPause) await Task.Delay(PollPause(_ports.Time.GetElapsedTime(since)), _ports.Time, cancellation);
        }
    }

    /// <summary>A quarter of the time waited so far: an end is learned of late by no more than that share, and who waits long asks seldom.</summary>
    private static TimeSpan PollPause(TimeSpan waited) => TimeSpan.FromTicks(Math.Clamp(waited.Ticks / 4, LeastPollPause.Ticks, MostPollPause.Ticks));

    /// <summary>Asks for a command not to be carried out.</summary>
    /// <exception cref="OrkRefusedException">The command is not known.</exception>
    public async Task<CancelView> CancelAsync(string commandId, CancellationToken cancellation = default) => CancelView.Read(
        Accepted(await AskAsync(OrkAction.CommandCancel, null, JsonSerializer.SerializeToUtf8Bytes(new { commandId }), true, 0, cancellation)));

    /// <summary>Asks the device's Worker for telemetry.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="query">The query, with its type; anything that serialises to a JSON object.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <returns>The answer's payload.</returns>
    /// <exception cref="OrkRefusedException">It was refused.</exception>
    public async Task<JsonElement> TelemetryAsync(string deviceId, object query, CancellationToken cancellation = default) =>
        Element(await AskAsync(OrkAction.TelemetryPull, deviceId, JsonSerializer.SerializeToUtf8Bytes(new { query }, WriteOptions), true, 0, cancellation));

    /// <summary>Asks the device's Worker for the device's state.</summary>
    /// <returns>The answer's payload.</returns>
    /// <exception cref="OrkRefusedException">It was refused.</exception>
    public async Task<JsonElement> StateAsync(string deviceId, CancellationToken cancellation = default) =>
        Element(await AskAsync(OrkAction.StatePull, deviceId, "{}"u8.ToArray(), true, 0, cancellation));

    /// <summary>The contract behind a device.</summary>
    /// <returns>The answer's payload.</returns>
    /// <exception cref="OrkRefusedException">It was refused.</exception>
    public async Task<JsonElement> CapabilitiesAsync(string deviceId, CancellationToken cancellation = default) =>
        Element(await AskAsync(OrkAction.DeviceCapabilities, deviceId, "{}"u8.ToArray(), true, 0, cancellation));

    /// <summary>All Workers, page by page.</summary>
    /// <param name="devices">True to have their devices too.</param>
    /// <param name="workerId">One Worker, or null for all.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<FleetView> WorkersAsync(bool devices = false, string? workerId = null, CancellationToken cancellation = default)
    {
        var workers = new List<WorkerView>();
        string? after = null;
        JsonElement page;
        do
        {
            var payload = JsonSerializer.SerializeToUtf8Bytes(new { devices, workerId, after, limit = _options.WorkersPerPage }, WriteOptions);
            page = Element(await AskAsync(OrkAction.WorkerList, null, payload, true, 0, cancellation));
            workers.AddRange(page.GetProperty("workers").Deserialize<List<WorkerView>>(JsonSerializerOptions.Web)!);
            after = Json.Text(page, "next");
        }
        while (after is not null);
        return new FleetView(page.GetProperty("kernel"), workers);
    }

    /// <summary>Finds devices, Workers taking turns, so that an order for all of them is spread from its start.</summary>
    /// <param name="workerId">Only those of this Worker, or null.</param>
    /// <param name="family">Only those of this family, or null.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<IReadOnlyList<string>> FindDevicesAsync(string? workerId = null, string? family = null, CancellationToken cancellation = default)
    {
        var fleet = await WorkersAsync(devices: true, workerId, cancellation);
        return [.. fleet.Workers.Where(worker => family is null || worker.DeviceFamily == family)
            .SelectMany(worker => worker.Devices.Select((deviceId, place) => (deviceId, place))).OrderBy(device => device.place).Select(device => device.deviceId)];
    }

    /// <summary>Sends one command to many devices, each as a command of its own, and waits for all ends. Repeated with the same key it goes on where it was interrupted.</summary>
    /// <param name="order">The order.</param>
    /// <param name="running">The run, to be looked at from now on.</param>
    /// <param name="cancellation">Ends the waiting, not the commands that were accepted.</param>
    /// <returns>Completes when the end of every device's command is known.</returns>
    public Task SendToFleetAsync(FleetOrder order, out FleetRun running, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        running = new FleetRun(order);
        return running.RunAsync(this, _ports, cancellation);
    }

    /// <summary>Takes a Worker out of service for good.</summary>
    /// <exception cref="OrkRefusedException">It is not known.</exception>
    public async Task TerminateAsync(string workerId, CancellationToken cancellation = default) =>
        Accepted(await AskAsync(OrkAction.WorkerTerminate, null, JsonSerializer.SerializeToUtf8Bytes(new { workerId }), true, 0, cancellation));

    /// <summary>Holds a Worker's circuit open (nothing is sent to it) or closed, or lets failures and probes decide again. Durable.</summary>
    /// <returns>How the circuit stands now.</returns>
    /// <exception cref="OrkRefusedException">The Worker is not known, or terminated.</exception>
    public async Task<string> HoldAsync(string workerId, CircuitHold hold, CancellationToken cancellation = default) => Json.Text(
        Element(await AskAsync(OrkAction.WorkerHold, null, JsonSerializer.SerializeToUtf8Bytes(new { workerId, hold = CircuitHolds.Of(hold) }), true, 0, cancellation)), "circuit") ?? "";

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _closing.Cancel();
        _link?.Close();
        return ValueTask.CompletedTask;
    }

    /// <summary>How long nothing may come on a link that a call waits on before it is taken for dead.</summary>
    private TimeSpan Silence => TimeSpan.FromMilliseconds(_options.TimeoutMs / 2.0);

    private static readonly JsonSerializerOptions WriteOptions = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private Task<Answer> AskStatusAsync(string commandId, long waitMs, CancellationToken cancellation) =>
        AskAsync(OrkAction.CommandStatus, null, JsonSerializer.SerializeToUtf8Bytes(new { commandId, waitMs }), true, waitMs, cancellation);

    private static JsonElement Element(Answer answer) => answer is { Refused: { } refused } ? throw refused : answer.ToElement();

    private static ReadOnlyMemory<byte> Accepted(Answer answer) => answer is { Refused: { } refused } ? throw refused : answer.Payload;

    /// <summary>Asks, and asks again while the link is lost and repeating is safe, until the call's time is over. A refusal is returned, for each frame that one is thrown through costs.</summary>
    private async Task<Answer> AskAsync(
        OrkAction action, string? deviceId, byte[] payload, bool repeatable, long extraMs, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(_options.TimeoutMs + extraMs), _ports.Time);
        using var closing = CancelsWith(timeout, _closing.Token);
        using var caller = CancelsWith(timeout, cancellation);
        var envelope = Write(action, deviceId, payload);
        ClientLink? link = null;
        var (heard, since) = (0L, 0L);
        var wasSent = false;
        try
        {
            while (true)
            {
                link = await LinkAsync(timeout.Token);
                (heard, since) = (link.Received, _ports.Time.GetTimestamp());
                await DrainedAsync(link, timeout.Token);
                if (link.Ask(envelope.WrittenSpan) is not { } pending) continue;
                wasSent = true;
                var forgetting = timeout.Token.UnsafeRegister(static pending => ((PendingAnswer)pending!).Forget(), pending);
                var answer = await pending.Task;
                forgetting.Unregister();
                if (answer is not null)
                {
                    _connects = 0;
                    return answer;
                }

                if (timeout.IsCancellationRequested)
                {
                    cancellation.ThrowIfCancellationRequested();
                    return GivenUp(link, heard, since, extraMs);
                }

                if (!repeatable) return new Answer(default, new OrkRefusedException(ErrorCodes.LinkLost.Code, "The link was lost; whether the command was accepted is not known."));
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return GivenUp(link, heard, since, extraMs);
        }
        catch (OrkRefusedException refused) when (wasSent)
        {
            return new Answer(default, new OrkRefusedException(ErrorCodes.LinkLost.Code, $"The link was lost, and no other could be opened: {refused.Message}. Whether the request was taken is not known."));
        }
    }

    /// <summary>The end of a call whose time is over.</summary>
    /// <param name="link">The link that it was on, or null where there was none.</param>
    /// <param name="heard">What had come on it when the call began to use it.</param>
    /// <param name="since">When that was.</param>
    /// <param name="extraMs">What was added to the time that a call has.</param>
    private Answer GivenUp(ClientLink? link, long heard, long since, long extraMs)
    {
        // Nothing at all came for long: whoever was there may be gone without a word, and TCP takes a quarter of an hour to find out. The next call opens another link;
        // calls under way keep theirs, for a kernel that is only slow will answer them. A call that got the link when its time was all but over says nothing of it.
        if (link is not null && link.Received == heard && _ports.Time.GetElapsedTime(since) >= Silence) link.Retire();
        var silence = $"no answer within {_options.TimeoutMs + extraMs} ms";
        var reason = _unreachable is { } unreachable ? $"{silence} ({unreachable})" : _link?.Goodbye ?? silence;
        return new Answer(default, new OrkRefusedException(ErrorCodes.KernelUnavailable.Code, $"{_options.Endpoint}: {reason}"));
    }

    /// <summary>Waits until the kernel reads again where it lags behind, but no longer than the call may take or the link is of use.</summary>
    private static async ValueTask DrainedAsync(ClientLink link, CancellationToken cancellation)
    {
        var drained = link.DrainedAsync();
        if (drained.IsCompletedSuccessfully) return;
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var registration = cancellation.Register(() => over.TrySetResult());
        var retired = link.Retired.Register(() => over.TrySetResult());
        _ = SignalAsync(drained, over);
        await over.Task;
        registration.Unregister();
        retired.Unregister();
        cancellation.ThrowIfCancellationRequested();
    }

    private static async Task SignalAsync(ValueTask drained, TaskCompletionSource over)
    {
        try
        {
            await drained;
            over.TrySetResult();
        }
        catch (Exception e)
        {
            over.TrySetException(e);
        }
    }

    private static CancellationTokenRegistration CancelsWith(CancellationTokenSource source, CancellationToken token) =>
        token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), source);

    private ArrayBufferWriter<byte> Write(OrkAction action, string? deviceId, byte[] payload)
    {
        var utcMs = _ports.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var buffer = new ArrayBufferWriter<byte>(payload.Length + 256);
        EnvelopeWriter.Write(buffer, new Envelope
        {
            Id = Utf8Text.Plain(_ports.Entropy.NextId(utcMs).ToString()),
            Type = MessageType.Request,
            Action = action,
            Sender = _sender,
            DeviceId = Utf8Text.From(deviceId),
            Timestamp = utcMs,
            Payload = payload,
        });
        return buffer;
    }

    /// <summary>The link, opened where there is none. One call connects while the others wait, each no longer than it may take itself.</summary>
    private async ValueTask<ClientLink> LinkAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (_link is { HasEnded: false } ready) return ready;
            if (TurnToConnect() is { } turn)
            {
                var registration = cancellation.Register(() => turn.TrySetResult());
                await turn.Task;
                registration.Unregister();
                cancellation.ThrowIfCancellationRequested();
                continue;
            }

            try
            {
                _link = await TryConnectAsync(cancellation) ?? _link;
            }
            finally
            {
                PassTheTurn();
            }
        }
    }

    /// <summary>Takes the turn to connect.</summary>
    /// <returns>Null where it was taken, else what completes when the turn is free again.</returns>
    private TaskCompletionSource? TurnToConnect()
    {
        lock (_waiting)
        {
            if (!_connecting)
            {
                _connecting = true;
                return null;
            }

            var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(turn);
            return turn;
        }
    }

    private void PassTheTurn()
    {
        TaskCompletionSource[] waiting;
        lock (_waiting)
        {
            _connecting = false;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var turn in waiting) turn.TrySetResult();
    }

    private async Task<ClientLink?> TryConnectAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            if (_connects > 0 || _link is not null)
            {
                var delayMs = 1 + _ports.Entropy.FullJitterMs(_connects, _options.ReconnectBaseMs, _options.ReconnectCapMs);
                await Task.Delay(TimeSpan.FromMilliseconds(delayMs), _ports.Time, cancellation);
            }

            _connects++;
            var connection = await _ports.Network.ConnectAsync(_options.Endpoint, _options.KernelKey, cancellation);
            _unreachable = null;
            connection.Send(FrameKind.Hello, 0, new Greeting(Greeting.Caller, Name: _options.Name).ToBytes());
            return new ClientLink(connection);
        }
        catch (LinkException e) when (e.Refusal.Error == ErrorCodes.KernelUnavailable)
        {
            _unreachable = e.InnerException?.Message ?? e.Refusal.Text;
            return null;
        }
        catch (LinkException e)
        {
            throw new OrkRefusedException(e.Refusal.Text, e.Refusal.Error.Sentence) { IsUnasked = true };
        }
    }
}
