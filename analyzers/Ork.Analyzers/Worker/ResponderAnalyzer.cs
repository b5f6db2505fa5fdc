using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;
using Ork.Analyzers.Effects;

namespace Ork.Analyzers.Worker;

/// <summary>
/// ORK0102: a link, or anything that holds one, kept beyond the request it came with: in a field, a property, a collection, a captured parameter of a class, or a
/// function that runs later and answers. Records and structs may carry a link from call to call, as long as nobody keeps them.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ResponderAnalyzer : DiagnosticAnalyzer
{
    private static readonly ImmutableHashSet<string> RunsLater = ImmutableHashSet.Create(
        "CreateTimer", "Register", "UnsafeRegister", "ContinueWith", "Run", "StartNew", "QueueUserWorkItem", "UnsafeQueueUserWorkItem", "Post", "Timer");

    private static readonly ImmutableHashSet<string> Keeps = ImmutableHashSet.Create(
        "Add", "TryAdd", "Enqueue", "Push", "AddLast", "AddFirst", "Insert", "AddOrUpdate", "GetOrAdd", "AddRange", "Append");

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.KeptResponder);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.KeptResponder)) return;
            var check = new Check(roles);
            start.RegisterSymbolAction(check.Member, SymbolKind.Field, SymbolKind.Property);
            start.RegisterOperationAction(check.Captured, OperationKind.ParameterReference);
            start.RegisterOperationAction(check.Assigned, OperationKind.SimpleAssignment, OperationKind.CoalesceAssignment);
            start.RegisterOperationAction(check.Call, OperationKind.Invocation, OperationKind.ObjectCreation);
            start.RegisterOperationAction(check.Subscribed, OperationKind.EventAssignment);
            start.RegisterCompilationEndAction(check.End);
        });
    }

    private sealed class Check(RoleReader roles)
    {
        private readonly ConcurrentDictionary<ITypeSymbol, bool> _holds = new(SymbolEqualityComparer.Default);
        private readonly ConcurrentDictionary<IParameterSymbol, byte> _captured = new(SymbolEqualityComparer.Default);

        internal void Member(SymbolAnalysisContext context)
        {
            var symbol = context.Symbol;
            var (type, isStored) = symbol switch
            {
                IFieldSymbol { IsImplicitlyDeclared: false, IsConst: false } field => (field.Type, true),
                IPropertySymbol property => (property.Type, property.IsStored()),
                _ => (null, false),
            };
            if (type is null || !isStored || !Holds(type) || IsCarrier(symbol)) return;
            context.Find(roles, Rules.KeptResponder, symbol.Name);
        }

        /// <summary>A parameter of a class's primary constructor that its members use is a field by another name.</summary>
        internal void Captured(OperationAnalysisContext context)
        {
            var parameter = ((IParameterReferenceOperation)context.Operation).Parameter;
            if (parameter.ContainingSymbol is not IMethodSymbol { MethodKind: MethodKind.Constructor } constructor
                || SymbolEqualityComparer.Default.Equals(context.ContainingSymbol, constructor)) return;
            if (context.ContainingSymbol is IFieldSymbol or IPropertySymbol || constructor.ContainingType.IsRecord || constructor.ContainingType.IsValueType) return;
            if (Holds(parameter.Type) && !IsLink(constructor.ContainingType)) _captured.TryAdd(parameter, 0);
        }

        internal void End(CompilationAnalysisContext context)
        {
            foreach (var parameter in _captured.Keys)
            {
                if ((Rules.KeptResponder.Roles & roles.Of(parameter.ContainingType)) != 0)
                    context.ReportDiagnostic(Diagnostic.Create(Rules.KeptResponder.Descriptor, parameter.Locations[0], parameter.Name));
            }
        }

        internal void Assigned(OperationAnalysisContext context)
        {
            var assignment = (IAssignmentOperation)context.Operation;
            if (!IsKept(assignment.Target) || assignment.Target.Type is not { } declared || Holds(declared)) return;
            var value = Uses.Unwrap(assignment.Value);
            if (value.Type is { } type && Holds(type)) context.Find(roles, Rules.KeptResponder, assignment, value.Syntax.ToString());
            else if (FunctionThatAnswers(value) is { } captured) context.Find(roles, Rules.KeptResponder, assignment, captured);
        }

        internal void Subscribed(OperationAnalysisContext context)
        {
            var subscription = (IEventAssignmentOperation)context.Operation;
            if (subscription.Adds && FunctionThatAnswers(Uses.Unwrap(subscription.HandlerValue)) is { } captured) context.Find(roles, Rules.KeptResponder,
                subscription, captured);
        }

        internal void Call(OperationAnalysisContext context)
        {
            var call = context.Operation;
            var (name, instance) = call is IInvocationOperation invocation
                ? (invocation.TargetMethod.Name, invocation.Instance) : (((IObjectCreationOperation)call).Type?.Name ?? "", null);
            var isKept = Keeps.Contains(name) && instance is not null && IsKept(instance) && !(instance.Type is { } collection && Holds(collection));
            if (!isKept && !RunsLater.Contains(name)) return;
            foreach (var argument in Uses.Arguments(call))
            {
                var value = Uses.Unwrap(argument.Value);
                var captured = FunctionThatAnswers(value) ?? (isKept && value.Type is { } type && Holds(type) ? value.Syntax.ToString() : null)
                    ?? (name is "CreateTimer" or "QueueUserWorkItem" or "StartNew" or "Timer"
                        && argument.Parameter?.Type.SpecialType == SpecialType.System_Object && value.Type is { } state && Holds(state)
                        ? value.Syntax.ToString() : null);
                if (captured is null) continue;
                context.Find(roles, Rules.KeptResponder, call, captured);
                return;
            }
        }

        /// <summary>The link that a function uses to answer, where the function did not make it or get it itself; null where it only closes it, or has none.</summary>
        private string? FunctionThatAnswers(IOperation value)
        {
            if (value is IDelegateCreationOperation creation) value = creation.Target;
            if (value is IMethodReferenceOperation { Instance: { Type: { } on } instance } && Holds(on)) return instance.Syntax.ToString();
            var (body, self) = value switch
            {
                IAnonymousFunctionOperation lambda => (lambda.Body, lambda.Symbol),
                IMethodReferenceOperation { Method: { MethodKind: MethodKind.LocalFunction } local } => (BodyOf(value, local), local),
                _ => ((IOperation?)null, (IMethodSymbol?)null),
            };
            if (body is null || self is null) return null;
            foreach (var inner in body.Descendants())
            {
                var symbol = inner switch
                {
                    IParameterReferenceOperation parameter => (ISymbol)parameter.Parameter,
                    ILocalReferenceOperation local => local.Local,
                    _ => null,
                };
                if (symbol is null || inner.Type is not { } type || !Holds(type) || IsInside(symbol, self) || OnlyEnds(inner)) continue;
                return symbol.Name;
            }

            return null;
        }

        private static IOperation? BodyOf(IOperation at, IMethodSymbol local) => at.Root().Descendants().OfType<ILocalFunctionOperation>()
            .FirstOrDefault(declared => SymbolEqualityComparer.Default.Equals(declared.Symbol, local))?.Body;

        private static bool IsInside(ISymbol symbol, IMethodSymbol function)
        {
            for (var at = symbol.ContainingSymbol; at is IMethodSymbol; at = at.ContainingSymbol)
            {
                if (SymbolEqualityComparer.Default.Equals(at, function)) return true;
            }

            return false;
        }

        /// <summary>To close a link, or to ask why it ended, is no answer.</summary>
        private static bool OnlyEnds(IOperation reference)
        {
            var at = reference;
            while (at.Parent is IConversionOperation or IParenthesizedOperation or IConditionalAccessOperation or IPropertyReferenceOperation) at = at.Parent;
            return at.Parent is IInvocationOperation { TargetMethod.Name: "Close" or "Dispose" or "DisposeAsync" } call && call.Instance == at
                || at is IPropertyReferenceOperation { Property.Name: "Peer" or "CloseReason" }
                || reference.Parent is IConditionalAccessOperation { WhenNotNull: IInvocationOperation { TargetMethod.Name: "Close" } };
        }

        private static bool IsKept(IOperation target)
        {
            target = Uses.Unwrap(target);
            return target switch
            {
                IFieldReferenceOperation field => !IsCarrierType(field.Field.ContainingType),
                IPropertyReferenceOperation { Property.IsIndexer: true, Instance: { } indexed } => IsKept(indexed),
                IPropertyReferenceOperation property => !IsCarrierType(property.Property.ContainingType),
                IArrayElementReferenceOperation element => IsKept(element.ArrayReference),
                _ => false,
            };
        }

        private static bool IsCarrierType(INamedTypeSymbol type) => type.IsRecord || type.IsValueType || type.IsAnonymousType;

        private static bool IsCarrier(ISymbol member) => !member.IsStatic && (IsCarrierType(member.ContainingType) || IsLink(member.ContainingType));

        /// <summary>A link, or what a runtime of somebody's own calls a responder.</summary>
        private static bool IsLink(ITypeSymbol type) =>
            Exchanges.IsConnection(type) || type.AllInterfaces.Any(Exchanges.IsConnection) || type.Name.EndsWith("Responder", StringComparison.Ordinal);

        private bool Holds(ITypeSymbol type)
        {
            if (_holds.TryGetValue(type, out var known)) return known;
            var holds = Holds(type, new HashSet<ITypeSymbol>(SymbolEqualityComparer.Default));
            _holds.TryAdd(type, holds);
            return holds;
        }

        private static bool Holds(ITypeSymbol type, HashSet<ITypeSymbol> seen)
        {
            if (!seen.Add(type)) return false;
            if (IsLink(type)) return true;
            switch (type)
            {
                case IArrayTypeSymbol array:
                    return Holds(array.ElementType, seen);
                case ITypeParameterSymbol parameter:
                    return parameter.ConstraintTypes.Any(constraint => Holds(constraint, seen));
                case INamedTypeSymbol { DelegateInvokeMethod: { } invoke }:
                    return !invoke.ReturnsVoid && Holds(invoke.ReturnType, seen);
                case INamedTypeSymbol named:
                    if (named.TypeArguments.Any(argument => Holds(argument, seen))
                        && named.Name is not ("IEqualityComparer" or "IComparer" or "EqualityComparer")) return true;
                    return IsCarrierType(named) && named.DeclaringSyntaxReferences.Length > 0 && named.GetMembers().Any(member => !member.IsStatic && member switch
                    {
                        IFieldSymbol field => Holds(field.Type, seen),
                        IPropertySymbol property => property.IsStored() && Holds(property.Type, seen),
                        _ => false,
                    });
                default:
                    return false;
            }
        }
    }
}
