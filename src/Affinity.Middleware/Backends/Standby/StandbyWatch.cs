using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.Standby;

/// <summary>Reads the order in both stores all the time, has all nodes move when the first store is away for too long, and carries the order and what is owed to the store that lacks it. None of its methods throws for want of a store.</summary>
internal sealed class StandbyWatch(SharedSite first, SharedSite standby, StandbyState state, StandbyEndings endings, TimeProvider time, ILogger<StandbyWatch> logger)
{
    private readonly StandbyLedger _atFirst = new(first.Sessions);
    private readonly StandbyLedger _atStandby = new(standby.Sessions);
    private readonly Lock _gate = new();
    private StandbySite? _inUse;
    private bool _heldTold;
    private bool _standbyAwayTold;

    /// <summary>Both once, bounded: a node that starts knows where to go with its first request.</summary>
    public Task LookOnceAsync(CancellationToken cancellationToken) => Task.WhenAll(LookAtFirstAsync(cancellationToken), LookAtStandbyAsync(cancellationToken));

    /// <summary>Until the token ends it. The two do not wait for each other: one store that is silent must not make the other seem so.</summary>
    public Task LookOnAsync(CancellationToken cancellationToken) => Task.WhenAll(RepeatAsync(LookAtFirstAsync, cancellationToken), RepeatAsync(LookAtStandbyAsync, cancellationToken));

    /// <summary>An operator's word. Answers whether the order is given; all nodes go by it one lease later.</summary>
    /// <exception cref="SessionStoreException">The standby, where it is to be written, failed.</exception>
    public async Task<bool> OrderAsync(StandbySite site, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var reading = await _atStandby.ReadAsync(cancellationToken);
        state.OrderRead(reading, asked);
        return await WriteAsync(reading, site, "an operator said so", cancellationToken);
    }

    private async Task RepeatAsync(Func<CancellationToken, Task> look, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(state.Times.Poll, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            await look(cancellationToken);
        }
    }

    private async Task LookAtStandbyAsync(CancellationToken cancellationToken)
    {
        await TryAsync(
            async token =>
            {
                var asked = time.GetTimestamp();
                var reading = await _atStandby.ReadAsync(token);
                state.OrderRead(reading, asked);
                if (reading.Order.Epoch < state.Order.Epoch)
                {
                    await _atStandby.TryWriteAsync(state.Order, reading, token); // it has lost the order, and others might not know it
                }
                else if (state.Decide().Moves)
                {
                    await WriteAsync(reading, StandbySite.Standby, "the first store has been away for too long", token);
                }

                await endings.PayAsync(StandbySite.Standby, standby.Sessions, token);
            },
            cancellationToken);
        TellStandby();
        Tell();
    }

    private async Task LookAtFirstAsync(CancellationToken cancellationToken)
    {
        await TryAsync(
            async token =>
            {
                var asked = time.GetTimestamp();
                var reading = await _atFirst.ReadAsync(token);
                state.FirstAnswered(reading, asked);
                if (reading.Order.Epoch < state.Order.Epoch)
                {
                    await _atFirst.TryWriteAsync(state.Order, reading, token); // for a node that can read it here only
                }

                await endings.PayAsync(StandbySite.First, first.Sessions, token);
            },
            cancellationToken);
        Tell();
    }

    private async Task TryAsync(Func<CancellationToken, Task> look, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(state.Times.Lease / 2, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await look(either.Token).WaitAsync(either.Token);
        }
        catch (SessionStoreException)
        {
            // Known by how long ago it answered.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The same.
        }
    }

    private async Task<bool> WriteAsync(StandbyReading over, StandbySite site, string why, CancellationToken cancellationToken)
    {
        var order = new StandbyOrder(state.Order.Epoch + 1, site);
        if (!await _atStandby.TryWriteAsync(order, over, cancellationToken))
        {
            return false;
        }

        logger.StandbyOrdered(site.ToString(), order.Epoch, why, state.Times.Lease);
        var asked = time.GetTimestamp();
        state.OrderRead(await _atStandby.ReadAsync(cancellationToken), asked);
        return true;
    }

    private void TellStandby()
    {
        var isAway = !(state.Facts().OrderRead < state.Times.Lease);
        if (isAway && !_standbyAwayTold && state.Facts().Running >= state.Times.Lease)
        {
            _standbyAwayTold = true;
            logger.StandbyNotReadable();
        }
        else if (!isAway && _standbyAwayTold)
        {
            _standbyAwayTold = false;
            logger.StandbyReadable();
        }
    }

    private void Tell()
    {
        lock (_gate)
        {
            if (state.Decide().Writes is { } site)
            {
                if (_heldTold || site != (_inUse ?? StandbySite.First))
                {
                    logger.StandbyStoreInUse(site.ToString(), state.Order.Epoch);
                }

                (_inUse, _heldTold) = (site, false);
            }
            else if (_inUse is not null && !_heldTold)
            {
                _heldTold = true;
                logger.StandbyWritesHeld();
            }
        }
    }
}
