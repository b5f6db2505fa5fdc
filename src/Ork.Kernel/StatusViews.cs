using System.Text.Json;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What an operator sees: <c>worker.list</c> and <c>device.capabilities</c>.</summary>
internal sealed class StatusViews(KernelCore core, long startedMs)
{
    // A page stays well below the smallest sensible frame limit, whatever the ids' lengths.
    private const int PageBytes = 192 * 1024;
    private const int MaxPage = 1_000;

    /// <summary>
    /// A page of Workers, in the order of their ids, so that pages of two kernels' lives fit together: the payload's <c>after</c> (a workerId) continues an earlier page, <c>limit</c> shortens it, <c>workerId</c> picks one Worker,
    /// <c>devices: true</c> adds device ids.
    /// </summary>
    internal ReadOnlyMemory<byte> WorkerList(ReadOnlyMemory<byte> payload, Turn turn)
    {
        var ask = PageRequest.Read(payload);
        return turn.Payload((this, ask, turn), static (json, it) => it.Item1.WritePage(json, it.ask, it.turn));
    }

    /// <summary>The contract behind a device.</summary>
    internal Refusal? Capabilities(Utf8Text deviceId, Turn turn, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        if (deviceId.IsEmpty) return ErrorCodes.DeviceIdRequired;
        if (core.Registry.FindDevice(deviceId) is not { } device) return ErrorCodes.DeviceNotFound;
        if (device.Owner.Contract is not { } contract) return ErrorCodes.WorkerNotRoutable;
        payload = turn.Payload((device, contract), static (json, it) =>
        {
            json.WriteStartObject();
            json.WriteString("deviceId"u8, it.device.DeviceId);
            json.WriteString("workerId"u8, it.device.Owner.WorkerId);
            json.WritePropertyName("contract"u8);
            json.WriteRawValue(it.contract.Raw.Span, skipInputValidation: true);
            json.WriteEndObject();
        });
        return null;
    }

    private void WritePage(Utf8JsonWriter json, PageRequest ask, Turn turn)
    {
        json.WriteStartObject();
        WriteKernel(json, turn);
        json.WriteStartArray("workers"u8);
        var next = WriteWorkers(json, ask);
        json.WriteEndArray();
        json.WriteString("next"u8, next);
        json.WriteEndObject();
    }

    private string? WriteWorkers(Utf8JsonWriter json, PageRequest ask)
    {
        if (ask.WorkerId is { } workerId)
        {
            if (core.Registry.FindWorker(workerId) is { } only) WriteWorker(json, only, ask.Devices);
            return null;
        }

        var workers = core.Registry.Workers;
        var index = ask.After is { } after ? core.Registry.IndexAfter(after) : 0;
        for (var count = 0; index < workers.Count; index++, count++)
        {
            if (count > 0 && (count >= ask.Limit || json.BytesPending + json.BytesCommitted > PageBytes)) return workers[index - 1].WorkerId;
            WriteWorker(json, workers[index], ask.Devices);
        }

        return null;
    }

    private void WriteKernel(Utf8JsonWriter json, Turn turn)
    {
        json.WriteStartObject("kernel"u8);
        json.WriteNumber("epoch"u8, core.Epoch);
        json.WriteNumber("uptimeMs"u8, turn.NowMs - startedMs);
        json.WriteBoolean("draining"u8, core.Draining);
        json.WriteNumber("workers"u8, core.Registry.Workers.Count);
        json.WriteNumber("registering"u8, core.Registry.Registering);
        json.WriteNumber("links"u8, core.Links.Open);
        json.WriteNumber("openCommands"u8, core.Ledger.Open);
        json.WriteNumber("openBytes"u8, core.Ledger.OpenBytes);
        json.WriteNumber("inFlight"u8, core.Ledger.InFlight);
        json.WriteNumber("settledRetained"u8, core.Ledger.Settled);
        json.WriteNumber("accepted"u8, core.Ledger.AcceptedTotal);
        json.WriteNumber("succeeded"u8, core.Ledger.SucceededTotal);
        json.WriteNumber("failed"u8, core.Ledger.FailedTotal);
        json.WriteNumber("retriesLeft"u8, core.Circuits.RetriesLeft(turn.NowMs));
        json.WriteNumber("pullsInFlight"u8, core.PullsInFlight);
        json.WriteNumber("longPolls"u8, core.Ledger.LongPolls);
        json.WriteEndObject();
    }

    private void WriteWorker(Utf8JsonWriter json, WorkerEntry worker, bool devices)
    {
        var (queued, inFlight) = core.Ledger.DepthOf(worker);
        json.WriteStartObject();
        json.WriteString("workerId"u8, worker.WorkerId);
        json.WriteString("state"u8, worker.State.ToString());
        json.WriteString("health"u8, core.Health.Of(worker).ToString());
        json.WriteBoolean("linked"u8, worker.Link is not null);
        json.WriteString("endpoint"u8, worker.Endpoint);
        json.WriteString("address"u8, worker.Link?.Peer.Address);
        json.WriteString("key"u8, worker.PeerKey);
        json.WriteString("deviceFamily"u8, worker.Contract?.DeviceFamily);
        json.WriteNumber("deviceCount"u8, worker.Devices.Count);
        json.WriteNumber("refusedClaims"u8, worker.RefusedClaims.Count);
        json.WriteString("circuit"u8, core.Circuits.Of(worker).ToString());
        json.WriteString("hold"u8, CircuitHolds.Of(worker.Hold));
        json.WriteNumber("circuitOpens"u8, core.Circuits.OpensOf(worker));
        json.WriteNumber("queued"u8, queued);
        json.WriteNumber("inFlight"u8, inFlight);
        if (devices)
        {
            json.WriteStartArray("devices"u8);
            foreach (var device in worker.Devices) json.WriteStringValue(device.DeviceId);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private readonly record struct PageRequest(string? WorkerId, string? After, int Limit, bool Devices)
    {
        internal static PageRequest Read(ReadOnlyMemory<byte> payload)
        {
            var request = new PageRequest(null, null, MaxPage, false);
            var reader = new PayloadReader(payload);
            while (reader.Next())
            {
                if (reader.Is("workerId"u8)) request = request with { WorkerId = reader.Text() };
                else if (reader.Is("after"u8)) request = request with { After = reader.Text() };
                else if (reader.Is("limit"u8)) request = request with { Limit = (int)Math.Clamp(reader.Integer() ?? MaxPage, 1, MaxPage) };
                else if (reader.Is("devices"u8)) request = request with { Devices = reader.Boolean() ?? false };
            }

            return request;
        }
    }
}
